#!/bin/sh
# Installs the programs that the tests run against, on Debian and Ubuntu, as root or with
# sudo. Where it cannot, it says which tests will not run, and fails unless ALLOW_MISSING=1.
set -u

missing=''
packages=''
need() { # program, package, what needs it
	command -v "$1" >/dev/null 2>&1 && return
	packages="$packages $2"
	missing="$missing
  $1 (package $2): $3"
}
look() {
	missing=''
	packages=''
	need oathtool oathtool 'authenticator codes against an independent implementation'
	need zbarimg zbar-tools 'reading back the QR codes'
	need keepassxc-cli keepassxc 'importing into a real authenticator'
	need rsvg-convert librsvg2-bin 'reading back the SVG form of the QR code'
	[ -n "$(ls /usr/lib/postgresql/*/bin/postgres 2>/dev/null)" ] || need postgres postgresql 'the store on PostgreSQL'
	[ -x /usr/sbin/mariadbd ] || need mariadbd mariadb-server 'the store on MariaDB'
	need redis-server redis-server 'the store on Redis'
	need redis-cli redis-tools 'the store on a cluster of Redis'
	if ! command -v chromium >/dev/null 2>&1 && ! command -v chromium-browser >/dev/null 2>&1 && ! command -v google-chrome >/dev/null 2>&1; then
		need chromium chromium 'walking the pages in a real browser'
	fi
}

look
[ -z "$packages" ] && exit 0

if command -v apt-get >/dev/null 2>&1; then
	as=''
	[ "$(id -u)" = 0 ] || as='sudo -n'
	echo "installing:$packages"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086
	{ $as apt-get update -q && $as apt-get install -y -q --no-install-recommends $packages; } >&2 || true
	look
fi
[ -z "$packages" ] && exit 0

echo "missing, and not installed:$missing" >&2
if [ "${ALLOW_MISSING:-}" = 1 ]; then
	echo 'going on without, as ALLOW_MISSING=1 says; the tests named above are skipped' >&2
	exit 0
fi
echo 'install them, or run with ALLOW_MISSING=1 to skip what needs them' >&2
exit 1
