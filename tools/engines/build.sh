#!/usr/bin/env bash
# Makes other engines in the folder given, unless they are there: Prism with Go, and Flink's job server with Maven.
set -euo pipefail

prism=v2.77.0
folder=$1
here=$(cd "$(dirname "$0")" && pwd)

need() {
  command -v "$1" >/dev/null || { echo "make engines needs $1, and it is not on the PATH: $2" >&2; exit 1; }
}

need go "install Go (https://go.dev/dl), which builds Beam's Prism"
need java "install Java 11 or 17 (on Debian and Ubuntu: apt-get install default-jdk-headless), on which Flink runs"
need mvn "install Maven (on Debian and Ubuntu: apt-get install maven), which gets the jars of Beam's Flink runner"

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
if [ ! -x "$folder/$prism/prism" ]; then
  echo "building Prism $prism; this takes a few minutes the first time"
  GOBIN="$folder/$prism" go install "github.com/apache/beam/sdks/v2/go/cmd/prism@$prism" >"$folder/prism.log" 2>&1 \
    || { cat "$folder/prism.log" >&2; exit 1; }
  ln -sfn "$prism/prism" "$folder/prism"
fi
if [ ! "$folder/flink/flink-job-server.jar" -nt "$here/pom.xml" ]; then
  echo "getting the jars of Flink's job server, 160 MB; this takes a few minutes the first time"
  mvn --batch-mode --quiet --file "$here/pom.xml" clean package -Ddirectory="$folder/flink" >"$folder/flink.log" 2>&1 \
    || { cat "$folder/flink.log" >&2; exit 1; }
fi
