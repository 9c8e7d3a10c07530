# nix run "github:colliery-io/brokkr-publish?dir=packaging/nix" -- lint
{
  description = "Terraform for publishing container images and Helm charts";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      forAll = function: nixpkgs.lib.genAttrs systems (system: function nixpkgs.legacyPackages.${system});
    in
    {
      packages = forAll (pkgs: {
        default = pkgs.callPackage ./package.nix { };
      });
      overlays.default = final: _previous: { brokkr-publish = final.callPackage ./package.nix { }; };
    };
}
