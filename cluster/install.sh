# shellcheck shell=bash
# shellcheck disable=SC2154 # here comes from lib.sh
# What up installs, into a folder that is shared by all clones. A folder's name
# has a hash of what it was made from, and it appears only when it is complete.

cache=${SPARKMODEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/otelcol-sparkmodel}
dependency_plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1

need_tools() {
  local missing=()
  command -v java >/dev/null || missing+=(openjdk-17-jre-headless)
  command -v mvn >/dev/null || missing+=(maven)
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
  command -v ps >/dev/null || missing+=(procps)
  command -v flock >/dev/null || missing+=(util-linux)
  ((${#missing[@]})) || return 0
  if ((EUID == 0)) && command -v apt-get >/dev/null; then
    say "installing ${missing[*]}"
    if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >&2; then
      die "apt-get could not install ${missing[*]}"
    fi
  else
    die "please install (Debian's names): ${missing[*]}"
  fi
}

find_java_home() {
  if [[ -z ${JAVA_HOME:-} ]]; then
    JAVA_HOME=$(java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.home = //p')
  fi
  [[ -x $JAVA_HOME/bin/java ]] || die "JAVA_HOME is $JAVA_HOME, where no bin/java is"
  local release
  release=$("$JAVA_HOME/bin/java" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.specification\.version = //p')
  [[ $release == 17 || $release == 21 ]] || die "Java 17 or 21 is needed for Spark and Hadoop; $JAVA_HOME is $release"
}

# cached NAME COMMAND...: makes the folder by COMMAND... FOLDER unless it is
# there, and prints where it is.
cached() {
  local folder=$cache/$1 partial
  shift
  mkdir -p "$cache"
  {
    flock 7
    if [[ ! -d $folder ]]; then
      say "installing $(basename "$folder")"
      rm -rf "$cache"/.partial-*
      partial=$(mktemp -d "$cache/.partial-XXXXXX")
      "$@" "$partial" >&2 || die "could not install $(basename "$folder")"
      mv "$partial" "$folder"
    fi
  } 7<"$cache"
  echo "$folder"
}

hash_of() { sha256sum | cut -c 1-12; }

install_hadoop() {
  local version=$1
  cached "hadoop-$version-$( (echo "$version" && cat "$here/pom.xml") | hash_of)" copy_hadoop_jars "$version"
}

copy_hadoop_jars() {
  mvn -B -q -f "$here/pom.xml" "$dependency_plugin:copy-dependencies" \
    "-Dhadoop.version=$1" -DincludeScope=runtime "-DoutputDirectory=$2"
}

install_pyspark() {
  local requirements=$here/requirements-$1.txt version python
  version=$(sed -n 's/^pyspark==//p' "$requirements")
  python=$(python3 -c 'import platform; print(platform.python_version(), platform.machine())')
  cached "pyspark-$version-$( (echo "$python" && cat "$requirements") | hash_of)" make_venv "$requirements"
}

# The folder is moved afterwards: bin/python survives that, the other commands
# in bin do not and are not used.
make_venv() {
  python3 -m venv "$2" &&
    "$2/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check -r "$1"
}
