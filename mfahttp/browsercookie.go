package mfahttp

import "net/http"

// browserCookie is a cookie that the browser keeps beside the values of a visit, whether these are
// in cookies or in the application's session. What it holds is random: it tells the browser from
// others.
type browserCookie string

// host returns the name of a cookie of this host. Over https it begins with "__Host-", so that
// browsers take it from no other host: a neighbouring subdomain could otherwise choose its value.
func (v *visit) host(name string) string {
	if v.secureCookies() {
		return "__Host-" + name
	}
	return name
}

// name distinguishes Handlers at several paths of one host, as the other cookies do: the prefix
// wants the path of the whole site.
func (c browserCookie) name(v *visit) string {
	return v.host(v.h.cookies.name + "_" + string(c))
}

// of returns the value that the browser sent, or "".
func (c browserCookie) of(v *visit) string {
	value, _ := v.cookie(c.name(v))
	return value
}

// set gives the browser a value for so many seconds, for as long as it is open if maxAge is 0, or
// takes it away if maxAge is negative.
func (c browserCookie) set(v *visit, value string, maxAge int) {
	http.SetCookie(v.w, &http.Cookie{Name: c.name(v), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: v.secureCookies(), SameSite: http.SameSiteStrictMode})
}
