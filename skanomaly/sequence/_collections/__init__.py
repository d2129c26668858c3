"""Collections of series: neighbours, references, bags, residuals."""
