#!/usr/bin/env bash
# Makes other engines in the folder given, unless they are there: Prism with Go, and Flink's job server with Maven.
set -euo pipefail

prism=v2.77.0
folder=$1
here=$(cd "$(dirname "$0")" && pwd)

need() {
  command -v "$1" >/dev/null || { echo "make engines needs $1, and it is not on the PATH: $2" >&2; exit 1; }
}

need go "install Go 1.25 or later (https://go.dev/dl); it builds Beam's Prism"
need mvn "install Maven (Debian, Ubuntu: apt-get install maven); it gets the jars of Beam's Flink runner"
need javac "install a JDK, 11 or 17 (Debian, Ubuntu: apt-get install default-jdk-headless); Flink runs on it"

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
