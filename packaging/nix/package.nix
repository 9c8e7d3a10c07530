{
  lib,
  rustPlatform,
  installShellFiles,
}:

let
  root = ../..;
  manifest = (lib.importTOML (root + "/Cargo.toml")).workspace.package;
in
rustPlatform.buildRustPackage {
  pname = "brokkr-publish";
  inherit (manifest) version;

  src = lib.cleanSource root;
  cargoLock.lockFile = root + "/Cargo.lock";
  cargoBuildFlags = [ "--package=brokkr-publish" ];
  # The tests need docker-registry, skopeo, podman and more.
  doCheck = false;

  nativeBuildInputs = [ installShellFiles ];
  postInstall = ''
    $out/bin/brokkr-publish man --out man
    installManPage man/*.1
    for shell in bash zsh fish; do
      $out/bin/brokkr-publish completions $shell > completions.$shell
      installShellCompletion --cmd brokkr-publish --$shell completions.$shell
    done
  '';

  meta = {
    description = "Terraform for publishing container images and Helm charts";
    homepage = manifest.repository;
    license = lib.licenses.asl20;
    mainProgram = "brokkr-publish";
  };
}
