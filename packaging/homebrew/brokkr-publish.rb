# The release workflow fills in the version and the checksums. The result belongs into the tap, as Formula/brokkr-publish.rb.
class BrokkrPublish < Formula
  desc "Terraform for publishing container images and Helm charts"
  homepage "https://github.com/colliery-io/brokkr-publish"
  version "@VERSION@"
  license "Apache-2.0"

  base = "https://github.com/colliery-io/brokkr-publish/releases/download/v@VERSION@/brokkr-publish-@VERSION@"

  on_macos do
    on_arm do
      url "#{base}-aarch64-apple-darwin.tar.gz"
      sha256 "@SHA256 aarch64-apple-darwin@"
    end
    on_intel do
      url "#{base}-x86_64-apple-darwin.tar.gz"
      sha256 "@SHA256 x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "#{base}-aarch64-unknown-linux-musl.tar.gz"
      sha256 "@SHA256 aarch64-unknown-linux-musl@"
    end
    on_intel do
      url "#{base}-x86_64-unknown-linux-musl.tar.gz"
      sha256 "@SHA256 x86_64-unknown-linux-musl@"
    end
  end

  def install
    bin.install "brokkr-publish"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/brokkr-publish"
    zsh_completion.install "completions/_brokkr-publish"
    fish_completion.install "completions/brokkr-publish.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/brokkr-publish --version")
    assert_match "exit code", shell_output("#{bin}/brokkr-publish explain command::usage")
  end
end
