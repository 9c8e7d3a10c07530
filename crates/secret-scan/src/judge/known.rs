//! Values that everybody knows: keys of emulators, documentation and tests. They are listed by fingerprint, so that none of them is
//! in this file.

use oci_registry::Digest;

/// The SHA-256 of each value.
pub(super) const PUBLIC: &[&str] = &[
    // The self-tests of GnuTLS, in libgnutls (lib/crypto-selftests-pk.c).
    "24a2416c5abbb67327599619c25906553b849d79cbc413e2a061f12de6718838",
    "6d03bbf47115fad00d6f990593a6465ca693d0f6d797721cfc94b0190349b50d",
    "8f642f0351e1761dd3f7d8934a2da0a5eacd7f8a2c0440d8e2bf58ff2a6e847d",
    "bbe1aa11658d78c055f3d4ea85c76fa05c5728b7ad033122f87ff5948b2a5123",
    "bf552d2ff30b20f0b0ee2bcc357a5ab68dbe899ae09a0071b097bee2d2434332",
    "cadf1e62661d5d21a7fce2c80b3319022ee366137e4b302a7ea78b7f17d6f599",
    "ec0fcc15374d1457f0ef76b5e6c2452814cda7f2cc5e5982adca949a8c254d01",
    "fcaaafcd4be236f46a44ac7fc8223548313a878ed39ca0661e9c6b48e213e348",
    // the benchmark of TLS in gnutls-cli.
    "018cf229766ddc025f394475da197c4eed65eff133b87bbbb5c2026e862262da",
    "47382ff9d653f755cef7040ebb464eb41708c579a612013ef6a425d80fa4116f",
    "6539fa29fe140050dca313400dee000989a0f77931f88fca61ba63a4b49b1706",
    "93d52962cbc864d7768e14f42a0fce492a7bf782a0cc1e52273f3531bd684fa8",
    // The proxy of moto, which replaces AWS in tests.
    "22f916e9c4e0da8a4c90e22ad8fa096a9603944d13cf5419cb884afd306d1469",
    "9c186bd7945ad434ccb6e5cb2c5338dfa86fa9b7537d593df7bd881dc55490af",
    // The emulators of Azure Storage and of Cosmos DB (learn.microsoft.com).
    "0011cc25eb4320717494d2703e8cba85743e71b500283c21c8b88147992f9059",
    "aa6547439583c3a275d4542a0df6c1ad6a863971be9f2a2220f027cc02aef615",
    // The example of jwt.io.
    "7f75367e7881255134e1375e723d1dea8ad5f6a4fdb79d938df1f1754a830606",
];

/// Whether the value with this fingerprint is known to be public.
pub(super) fn is_public(fingerprint: &Digest) -> bool {
    PUBLIC.contains(&fingerprint.hex())
}
