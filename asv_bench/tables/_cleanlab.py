"""Build cleanlab's non-IID check. Nothing here sets clocks or threads."""

from types import SimpleNamespace


def cleanlab_manager(**options):
    """Build cleanlab's check, or None where it is not installed."""
    try:
        from cleanlab.datalab.internal.issue_manager.noniid import NonIIDIssueManager
    except ImportError:
        return None
    # The check only needs the results of its Datalab, whose dependencies may be missing.
    return NonIIDIssueManager(SimpleNamespace(get_info=lambda _: {}), **options)
