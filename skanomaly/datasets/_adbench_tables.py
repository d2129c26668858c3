"""The classical tables of ADBench: number, size and, where it could be verified, a checksum of the contents."""

from typing import NamedTuple

__all__ = ["TABLES", "Table"]


class Table(NamedTuple):
    """Number, size and checksum of a table."""

    number: int
    n_samples: int
    n_features: int
    n_anomalies: int
    digest: str | None


# Sizes are those published with the collection (Han et al., 2022). The digest is the SHA-256 of the contents, not of
# the file, so that it does not depend on the compression: "n_samples n_features" and a line feed in ASCII, then X as
# little-endian float64 row by row, then y as int8 with 1 for anomaly.
TABLES: dict[str, Table] = {
    "ALOI": Table(1, 49534, 27, 1508, None),
    "annthyroid": Table(2, 7200, 6, 534, "c139d294243b2e7059b1899a215410a4dd06a61231d76aa34a7baa78c120d7b7"),
    "backdoor": Table(3, 95329, 196, 2329, None),
    "breastw": Table(4, 683, 9, 239, "77b21ba44974d4fbad282b93a71d58ceac2c341eb85bdf1362da00f6dcc4409d"),
    "campaign": Table(5, 41188, 62, 4640, None),
    "cardio": Table(6, 1831, 21, 176, "264fef76adcb17678eae2bdb3f6fc063836763ff72f97f43b09b1be441ce82be"),
    "Cardiotocography": Table(7, 2114, 21, 466, "b507d87d9edb1ec543904a0b3a6a770ce634d430c94f6ee0608a0d7d26676769"),
    "celeba": Table(8, 202599, 39, 4547, None),
    "census": Table(9, 299285, 500, 18568, None),
    "cover": Table(10, 286048, 10, 2747, "23c22a9080bba521eea5b4eee59a4d177fdc899f52457cba1351dfb25530afdf"),
    "donors": Table(11, 619326, 10, 36710, None),
    "fault": Table(12, 1941, 27, 673, "18325a89614acac13c8f32c2e826e83cb97524ab6eab8f1d83125a04822b4c40"),
    "fraud": Table(13, 284807, 29, 492, None),
    "glass": Table(14, 214, 7, 9, "51534ed3d6355ab5029633e975cecdbc28abe4378d460e5be5d6e692b5e701f6"),
    "Hepatitis": Table(15, 80, 19, 13, "278f396668906590fc8a2ca048a3d35ef4cf5c0b9d8fb08857efdf66bc16173b"),
    "http": Table(16, 567498, 3, 2211, "c163eda2e95372a444c0f88de9700122325e117f132897a883532b842d5b55ce"),
    "InternetAds": Table(17, 1966, 1555, 368, "4646092370ffdf6f696109fa17418d0b55cd5f51a43f1d54d8482f63fad677e0"),
    "Ionosphere": Table(18, 351, 32, 126, "d57730ba67842f148409bf3d98ad358afe29cd8986c2ca0dfbaff7d1ba2ba3ae"),
    "landsat": Table(19, 6435, 36, 1333, "b3fd1a303244a5450bcb5aaea5cb079c01b690188a737e3894b2aec94241f9b8"),
    "letter": Table(20, 1600, 32, 100, "09d0c3c5196c0dcc7defb3f5f025feca4f1f4171b4369b892d63c1b7f8046e59"),
    "Lymphography": Table(21, 148, 18, 6, None),
    "magic.gamma": Table(22, 19020, 10, 6688, None),
    "mammography": Table(23, 11183, 6, 260, "98fe6a31842f0c8444f886223c573c1b09e8da423d37caa4e343c4e4d3e2ee79"),
    "mnist": Table(24, 7603, 100, 700, "2c876e7eb499d3e72e3d87aaafc92d764404c6cc98df1a28412cf89718a45a8d"),
    "musk": Table(25, 3062, 166, 97, "1a44b9b3c8d62eed3536c5b2b73343e4f98d631f568d2d88715cdaea05a99795"),
    "optdigits": Table(26, 5216, 64, 150, "6ee66ebf853fd18251fa90f8926a6eaa94f6d7b3648801badd4bde9341f0826e"),
    "PageBlocks": Table(27, 5393, 10, 510, "9c3441b8630a1f5c7fc3da892d297af1049764c1b6f784d5de4562709ee0e9a5"),
    "pendigits": Table(28, 6870, 16, 156, "c26752853d4096a45c7f42abb4ca3c83a99749dd83d813ca586513728afd609b"),
    "Pima": Table(29, 768, 8, 268, "f3eaed532b890944a24df1de5499110e61b322e25aac7f2bdedfc2b6f63f2bb3"),
    "satellite": Table(30, 6435, 36, 2036, "1271ab621f61121bd502d567cdb8ebb70c4536bf9b3e142928507a916f672e02"),
    "satimage-2": Table(31, 5803, 36, 71, None),
    "shuttle": Table(32, 49097, 9, 3511, "e04f6eb81f8a8c2a5b2d5c188dcb33b852339f1c0f159790cfded102bbebf411"),
    "skin": Table(33, 245057, 3, 50859, None),
    "smtp": Table(34, 95156, 3, 30, None),
    "SpamBase": Table(35, 4207, 57, 1679, None),
    "speech": Table(36, 3686, 400, 61, None),
    "Stamps": Table(37, 340, 9, 31, None),
    "thyroid": Table(38, 3772, 6, 93, "59c18f46add8b624cfa285088dc0a847a3fdfe013b72f925167888249a1c0900"),
    "vertebral": Table(39, 240, 6, 30, None),
    "vowels": Table(40, 1456, 12, 50, "882dd1b8de4163c6edbc409e126153ee657a36664416b2fbb7770c887fcb9215"),
    "Waveform": Table(41, 3443, 21, 100, None),
    "WBC": Table(42, 223, 9, 10, "d7590106fc80b282cb0b21364a23d0ceb4fe1945c97606c157428381d1eedf83"),
    "WDBC": Table(43, 367, 30, 10, None),
    "Wilt": Table(44, 4819, 5, 257, None),
    "wine": Table(45, 129, 13, 10, "ea8262df2e70c2c9cdf525bf0cf9c75543d6a47d86256276d09d15905bf31203"),
    "WPBC": Table(46, 198, 33, 47, None),
    "yeast": Table(47, 1484, 8, 507, None),
}
