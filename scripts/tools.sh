#!/bin/sh
# Installs the programs that the tests run against, on Debian and Ubuntu, as root or with
# sudo. Where it cannot, it says which tests will not run, and fails unless ALLOW_MISSING=1.
set -u

missing=''
packages=''
tried=''
need() { # program, package, what needs it
	command -v "$1" >/dev/null 2>&1 && return
	packages="$packages $2"
	missing="$missing
  $1 (package $2): $3"
}
# browser asks for the shell of Chromium, which takes half the time, where there is a package of it.
# Any other Chromium will do where it cannot be installed.
browser() {
	command -v chromium-headless-shell >/dev/null 2>&1 && return
	if [ -z "$tried" ] && [ -n "$(apt-cache search --names-only '^chromium-headless-shell$' 2>/dev/null)" ]; then
		need chromium-headless-shell chromium-headless-shell 'walking the pages in a real browser'
		return
	fi
	for b in chromium chromium-browser google-chrome; do
		command -v "$b" >/dev/null 2>&1 && return
	done
	need chromium chromium 'walking the pages in a real browser'
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
	[ -n "$(ls /usr/lib/galera/libgalera_smm.so 2>/dev/null)" ] || need libgalera_smm.so galera-4 'the store on a cluster of MariaDB'
	[ -x /usr/sbin/pgbouncer ] || need pgbouncer pgbouncer 'the store on PostgreSQL behind a pooler'
	need redis-server redis-server 'the store on Redis'
	need etcd etcd-server 'the store on etcd'
	need prometheus prometheus 'the alert rules'
	need softhsm2-util softhsm2 'keys in a hardware security module'
	need pkcs11-tool opensc 'making such a key'
	need redis-cli redis-tools 'the store on a cluster of Redis'
	[ -x /usr/sbin/nginx ] || need nginx nginx-light 'a reverse proxy in front of the pages'
	[ -x /usr/sbin/postfix ] || need postfix postfix 'mail through a real server'
	[ -x /usr/sbin/dovecot ] || need dovecot dovecot-core 'signing in at that server'
	need node nodejs 'the linters of the OpenAPI document and of the mails, and a generated client in TypeScript'
	need npm npm 'installing those linters'
	need zsh zsh 'the completion of the command in zsh'
	need fish fish 'the completion of the command in fish'
	need mandoc mandoc 'reading the manual page of the command'
	browser
	need firefox-esr firefox-esr 'signing in with another browser, and on to another site'
}

look
[ -z "$packages" ] && exit 0

if command -v apt-get >/dev/null 2>&1; then
	as=''
	[ "$(id -u)" = 0 ] || as='sudo -n'
	echo "installing:$packages"
	export DEBIAN_FRONTEND=noninteractive
	$as apt-get update -q >&2 || true
	look # again, as a fresh machine knows no packages before
	# shellcheck disable=SC2086
	$as apt-get install -y -q --no-install-recommends $packages >&2 || true
	tried=1
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
