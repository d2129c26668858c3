"""Titled sections of the API pages of modules with more than a dozen names.

Each section lists classes and functions by what they are used for. A module that is not listed has a section of classes
and one of functions. ``tests/test_public_api.py`` checks that each name of a larger module is in exactly one section.
"""

__all__ = ["SECTIONS", "sections_of"]

MOST_NAMES = 12  # of a module without titled sections

SECTIONS = {
    "audit": {
        "Is the table sound?": "TableAudit Finding MissingnessTest",
        "Columns of two samples": "ColumnDriftTest ColumnDriftDisplay",
        "Whole tables of two samples": (
            "DomainClassifierTest KNNTwoSampleTest EnergyTest KernelTest NPLMTest CorrelatorTest dependence_noise_level"
        ),
        "Order of the rows and streams": "KNNDriftTest KNNChangePointTest KNNDriftMonitor DriftDisplay",
        "Durations that may be censored": "CensoredTwoSampleTest compare_detection_delay DelayComparison",
        "Counts and excesses": "WindowExcessSearch count_significance",
        "Eigenvalues of covariance matrices": (
            "CovarianceSpectrumTest laguerre_eigenvalues hermite_eigenvalues jacobi_eigenvalues tracy_widom"
        ),
        "Collected lists": (
            "coverage_estimate CoverageEstimate volatility_report VolatilityReport personalization_test "
            "PersonalizationReport"
        ),
        "What does the model leak, and what has it learnt wrongly?": (
            "MembershipAudit membership_likelihood_ratio SpuriousAudit worst_group_report abnormal_adversarial_report "
            "AbnormalAdversarialReport"
        ),
        "Single events": "event_window_statistics EventWindowStatistics anomaly_clustering_test cliffs_delta",
    },
    "detectors": {
        "The default": "AnomalyDetector",
        "Columns one by one": "MarginalDetector",
        "Distances and densities": (
            "NearestNeighborsDetector MultiscaleNeighborsDetector KrigingDetector GaussianDetector"
        ),
        "Projections and forests": "RandomProjectionDepth IsolationForestDetector",
        "Reconstruction": (
            "Autoencoder RandomFeatures PrincipalComponents DenseCode VariationalCode MemoryCode UncertaintyCode "
            "ConstrainedCode AdversarialCode PerturbedReconstruction"
        ),
        "One-class networks": ("OneClassNetwork SVDD SoftBoundary DeepSAD MeanShifted Margin ProjectionOutlyingness"),
        "Tables that have shifted": "ShiftAlignedDetector",
    },
    "datasets": {
        "Embedded": "load_breast_cancer_anomalies load_nyc_taxi load_storage_log",
        "Downloaded once, or read from a file": "fetch_adbench fetch_hdfs fetch_nab fetch_spacecraft load_npz",
        "Generated tables": (
            "make_bimodal make_broken_dependence make_clusters make_coloured_digits make_fraud_stream "
            "make_lifted_circle make_logical_anomalies make_low_variance_anomalies make_manifold_anomalies "
            "make_shifted_anomalies"
        ),
        "Generated series": "make_drifting_series make_grouped_series make_series_anomalies",
        "Generated collections of series": (
            "make_branching_sequences make_gaze_sequences make_machine_sounds make_patrol_passes make_phase_sequences"
        ),
        "Generated patch sets": "make_particle_tracks make_patch_grids make_textures make_token_sets",
    },
    "robust": {
        "Training rows with anomalies": "PurifiedDetector ContaminationFilter FilteredRows",
        "Rows with wrong labels or targets": "MaskedEstimator SampleCurator TrainingDynamics",
        "Networks that leave out rows": "ZErrorClassifier ZErrorRegressor ZErrorMask",
        "Rare targets and noisy series": "ImbalancedRegressor rarity_weights robust_series_weights",
        "Groups and shortcuts": "GroupBalancedClassifier GroupWeights TrainTwice LastLayer",
        "Batches, some of which are wrong": "BatchListRegressor StreamGuard memorization_discrepancy",
    },
    "sequence": {
        "Base classes": "SeriesDetector SequenceDetector",
        "Detectors of rows or of groups, applied to series": "SlidingWindowDetector GroupedDetector",
        "Series: forecasts and seasons": (
            "AutoregressiveDetector CalendarDetector SeasonalTrendDetector PolynomialDetector MultiFutureDetector"
        ),
        "Samplers of futures": "Analogue ResidualBootstrap Diffusion",
        "Language models": "SeriesLanguageAdapter LanguageAnswer",
        "Series: windows compared with other windows": (
            "MatrixProfileDetector SubsequenceNeighbors SubsequenceKMeans SubsequencePCA KShapeDetector "
            "TransitionGraphDetector EncodingDetector"
        ),
        "Series: moving statistics and spectra": "RollingStatistic RollingMahalanobis SpectralResidualDetector",
        "Collections of series": (
            "SequenceNeighbors ReferenceDetector SelfSimilarityDetector SelectiveMahalanobisDetector BagRankingDetector"
        ),
        "One class in three geometries": (
            "GeometricOneClass Contraction Euclidean Spherical Hyperbolic poincare_distance exponential_map "
            "mobius_midpoint"
        ),
        "Likelihood and delays of streams": "SequenceLikelihood delay_distributions",
        "Encoders": "RandomConvolutionTransformer ScatteringCovariance SymbolTransformer ChronosEncoder",
        "Reconstruction of sequences": (
            "SequenceReconstructor RandomConvolutionEncoder ReservoirEncoder DenseEncoder ConvolutionEncoder "
            "RecurrentEncoder"
        ),
        "Training on synthetic anomalies": "DegradationDetector AttentionClassifier",
        "Events in series": "find_events events_to_labels overlay_events SeriesEvent SeriesDisplay",
        "Periods, profiles and resampling": (
            "find_period matrix_profile resample_series degrade_windows remove_transients"
        ),
        "Conversion": "from_long from_aeon to_aeon",
    },
    "metrics": {
        "Ranking of rows": (
            "roc_auc_score partial_roc_auc_score average_precision_score adjusted_average_precision_score "
            "precision_at_n_score adjusted_precision_at_n_score mean_average_precision_at_n_score fpr_at_tpr_score "
            "domain_roc_auc_score open_set_score AuditedScore ranking_scores_of_chunks "
            "RankingScores"
        ),
        "Reports by part": ("stratified_report sample_level_report domain_shift_report open_set_report OpenSetReport"),
        "Alerts, delays and costs": (
            "alert_report detection_delay DetectionDelay event_precision_at_n_score cost_curve CostCurve"
        ),
        "Series and ranges": (
            "vus_pr_score vus_roc_score affiliation_precision_recall_fscore range_precision_recall_fscore "
            "event_f1_score nab_score"
        ),
        "Series: protocols that overstate": "point_adjusted_f1_score pa_k_auc_score best_f1_score oracle_f1_score",
        "Patches, maps and volumes": (
            "patch_roc_auc_score patch_region_overlap_score per_region_overlap_score fuse_views aggregate_views "
            "instance_purity_efficiency"
        ),
        "Probabilities and intervals": (
            "brier_score crps_score calibration_curve expected_calibration_error interval_coverage_score "
            "interval_calibration_error"
        ),
    },
    "sampling": {
        "Oversampling of classes": (
            "SMOTE SMOTEN SMOTENC BorderlineSMOTE SVMSMOTE KMeansSMOTE ADASYN ElasticSMOTE DomainSMOTE MinoritySampler"
        ),
        "Oversampling of targets": "RegressionSMOTE",
        "Undersampling and cleaning": "RandomUnderSampler EditedNearestNeighbours TomekLinks",
        "Synthetic anomalies": (
            "AnomalySynthesizer SyntheticAnomalies SyntheticAnomalyDetector DiverseOutlierSampler "
            "OutlierExposureClassifier"
        ),
        "Heads of SyntheticAnomalyDetector": "LogisticHead HingeHead DensityHead OffsetHead ContrastiveHead",
        "Generated rows that are plausible anomalies": "ExpectedAnomalyPosterior EAPSampler",
        "Novelty and replay": "RandomDistillationNovelty NoveltyReplay",
        "Composition": "ResampledEstimator SamplerChain OptimalImbalance SamplerDisplay resample_chunks",
    },
    "threshold": {
        "Detectors with a threshold": "ThresholdedDetector ConformalDetector ScoreRefiner",
        "Threshold rules": (
            "ThresholdRule QuantileThreshold MADThreshold ParetoThreshold FDistributionThreshold PosteriorThreshold "
            "StableThreshold FixedThreshold"
        ),
        "Threshold rules by alerts, costs or precision": (
            "AlertRateThreshold CapacityThreshold FalseAlarmThreshold PrecisionThreshold CostThreshold forecast_alerts"
        ),
        "How many anomalies there are": (
            "ContaminationPosterior ContaminationPrior ContaminationDistribution ContaminationDisplay GammaGMM "
            "ElkanNotoFraction DensityRatioFraction storey_contamination"
        ),
        "P-values and false discoveries": (
            "benjamini_hochberg e_benjamini_hochberg OnlineFDR TwoGroup anomaly_probability_from_pvalues "
            "domain_weights PValueDisplay selection_power SelectionPowerDisplay"
        ),
        "Decisions with three answers": "DecisionCosts predict_three_way predict_cascade CascadeDecisions",
    },
    "embeddings": {
        "Patch sets": "PatchNeighbors PatchGaussian PatchResidual PatchBank PatchRefiner PatchwiseTransformer",
        "Sets without an order": (
            "TokenReconstructor ContextPrototypes PartnerMap OtherTokens OwnPrototypes ReferenceSets MaskedMemory "
            "TwoMemories"
        ),
        "Vectors": (
            "PrototypeDetector ChecklistDetector LogitDetector DistillationDetector NetworkStudent ConceptProjector"
        ),
        "Groups of anomalies": "AnomalyClusterer",
        "Tiles and maps": "TiledDetector AttentionLookup PatchMapDisplay",
    },
    "generation": {
        "Densities and denoisers": "MixtureDenoiser NoiseAwareMixture",
        "Diffusion": (
            "DiffusionSampler DiffusionTrajectories Ancestral BoostAndSkip MinorityReweighting SelfGuidance "
            "FollmerSampler trajectory_variance"
        ),
        "Log-concave chains": "LogConcaveChainSampler",
        "Speculative sampling": (
            "speculative_sample SpeculativeSample modified_rejection acceptance_score AcceptanceScore"
        ),
        "Tilted draws": "ProtectedScorer tilted_sample TiltedSample antidistillation_direction",
        "Are generated rows any good?": (
            "evaluate_samples filter_samples interpolation_score sample_worth data_price_curve recursive_generation "
            "collapse_variance"
        ),
    },
    "inspection": {
        "Why is this row anomalous?": (
            "feature_contributions ContributionDisplay PermutationExplainer LimeExplainer Explanation counterfactual "
            "Counterfactual"
        ),
        "Which of these reasons are discoveries?": (
            "discover_features FeatureDiscovery GaussianColumnSampler IndependentColumnSampler NeighborColumnSampler"
        ),
        "Can the reasons be trusted?": (
            "explanation_agreement ExplanationAgreement explanation_sensitivity ExplanationSensitivity "
            "count_right_reasons ReasonCounts"
        ),
        "Displays of scores": "ScoreDisplay ScoreTerrainDisplay AnomalyCurveDisplay SpecificationCurveDisplay",
    },
    "model_selection": {
        "Search and ensembles": "DetectorSearch ScoreEnsemble make_candidates",
        "Scorers with labels": "AnomalyScorer make_anomaly_scorer get_scorer get_scorer_names",
        "Scorers without labels": (
            "ExcessMassScorer MassVolumeScorer ConsensusScorer StabilityScorer SeparabilityScorer "
            "SyntheticAnomalyScorer"
        ),
        "Splits": (
            "StratifiedAnomalyKFold OneClassKFold TransductiveSplit BlockedTimeSeriesSplit CovariateSplit FewShotSplit "
            "contaminate"
        ),
        "Protocols": (
            "contamination_curve ContaminationCurve unseen_group_report UnseenGroupReport ood_benchmark OODReport "
            "confidence_score"
        ),
        "Detectors and classifiers in the order of time": (
            "compare_over_time TimeOrderedComparison complementary_gain ComplementaryGain table_difficulty "
            "TableDifficulty"
        ),
        "How sure is the choice?": (
            "choice_uncertainty ChoiceUncertainty seed_stability SeedStability seed_study SeedStudy compare_seeds "
            "SeedComparison specification_curve SpecificationCurve "
            "ReusableHoldout BudgetExhaustedError"
        ),
    },
}


def sections_of(module, names):
    """Return the titled sections of a module and their names; those in no section come last.

    Parameters
    ----------
    module : str
        Without the name of the package.
    names : list of str
        Its public names.

    Returns
    -------
    dict of str to list of str, or None
        None for a module that has no titled sections.
    """
    if module not in SECTIONS:
        return None
    sections = {title: listed.split() for title, listed in SECTIONS[module].items()}
    known = {name for listed in sections.values() for name in listed}
    others = [name for name in names if name not in known]
    return sections | ({"Others": others} if others else {})
