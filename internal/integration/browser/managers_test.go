package browser_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// managesPasswords has Firefox's own password manager save and fill in passwords until the test
// ends. Nothing is saved by then.
func (f *firefox) managesPasswords(t *testing.T) {
	t.Helper()
	set := func(on bool) {
		require.NoError(t, f.privileged(`
			Services.prefs.setBoolPref("signon.rememberSignons", arguments[0]);
			Services.prefs.setBoolPref("signon.autofillForms", arguments[0]);
			return Services.logins.removeAllLoginsAsync?.() ?? Services.logins.removeAllUserFacingLogins();`, nil, on))
	}
	set(true)
	t.Cleanup(func() { set(false) })
}

// offered returns what the password manager offers to save: the username and the password, or
// nothing.
func (f *firefox) offered() (list []string, err error) {
	err = f.privileged(`
		const offer = PopupNotifications.getNotification("password", gBrowser.selectedBrowser);
		if (!offer) return [];
		const value = (id) => document.getElementById("password-notification-" + id).value;
		return [value("username"), value("password")];`, &list)
	return list, err
}

// saves accepts what the password manager offers.
func (f *firefox) saves() error {
	return f.privileged(`
		const offer = PopupNotifications.getNotification("password", gBrowser.selectedBrowser);
		offer.mainAction.callback({ checkboxChecked: false, source: "button" });
		offer.remove();`, nil)
}

// Firefox's password manager saves the password of a sign-in and fills it in, and nothing else: no
// code and no PIN is offered for saving, and the password goes into no other field. It is so in a
// browser without scripts as well.
func TestPasswordManager_OfFirefoxKeepsThePasswordAlone(t *testing.T) {
	t.Run("with JavaScript", func(t *testing.T) { keepsThePasswordAlone(t, true) })
	t.Run("without JavaScript", func(t *testing.T) { keepsThePasswordAlone(t, false) })
}

func keepsThePasswordAlone(t *testing.T, script bool) {
	s := browsing{firefox: true, script: script}.start(t)
	b, f := s.open(script), s.firefox
	f.managesPasswords(t)
	none := func(when string) {
		t.Helper()
		list, err := f.offered()
		require.NoError(t, err)
		require.Empty(t, list, when)
	}

	b.login("anna")
	b.waitFor("the offer to save the password", func() bool {
		list, err := f.offered()
		return err == nil && len(list) == 2 && list[0] == "anna" && list[1] == "anna-demo-password"
	})
	require.NoError(t, f.saves())
	b.press(sendForm)
	b.answer(b.code("anna@acme.example"))
	require.Equal(t, "/", b.path())
	none("a code")

	b.visit("/mfa/enroll/pin")
	var filled string
	b.eval(`[...document.querySelectorAll("input:not([type=hidden])")].map(e => e.value).join("")`,
		&filled)
	require.Empty(t, filled, "the password is in the field for a PIN")
	b.fill("pin", "739162")
	b.fill("pin2", "739162")
	b.press(`form[action="/mfa/enroll/pin"] button[type=submit]`)
	b.saveCodes()
	none("a PIN")
	b.visit("/mfa/enroll/pin")
	var added bool // an application can ask for the password in this form
	b.eval(`document.querySelector("#pin").form.insertAdjacentHTML("beforeend",
		'<input type="password" id="probe" autocomplete="current-password">') === undefined`, &added)
	b.becomes(`document.querySelector("#probe").value === "anna-demo-password"`,
		"the password is filled in")
	b.eval(`document.querySelector("#pin").value + document.querySelector("#pin2").value`, &filled)
	require.Empty(t, filled, "the username or the password is in a field for a PIN")
	b.signOut()

	b.visit("/login")
	b.becomes(`document.querySelector("#password").value === "anna-demo-password" &&
		document.querySelector("#username").value === "anna"`, "the password is filled in")
	b.press(`form[action="/login"].acme-form button`)
	b.visit("/mfa/verify?kind=pin")
	b.eval(`document.querySelector("#code").value`, &filled)
	require.Empty(t, filled, "the password is in the field for the PIN")
	b.answer("739162")
	require.Equal(t, "/", b.path())
	none("the PIN of a sign-in")
	var logins int
	require.NoError(t, f.privileged(`return Services.logins.getAllLogins().then((l) => l.length);`, &logins))
	require.Equal(t, 1, logins)
}
