package main

import "slices"

// commands returns every command. The help, the manual page and the completion of shells are made
// from this list.
func commands() []command {
	return slices.Concat(userCommands(), storeCommands(), keyCommands(), trailCommands(),
		programCommands())
}

// groups says what the commands with a first word in common are about.
var groups = map[string]string{
	"keys":  "see which keys are in use, and add and retire keys",
	"trail": "keep and read an audit trail",
}

// userCommands are about one user.
func userCommands() []command {
	return []command{
		{name: "status", arguments: "USER", does: "show what a user has", user: true,
			explains: "It shows the factors, the remembered devices and the lock of a user. " +
				"Addresses and numbers are masked.",
			examples: []string{"status ann", "status -json -tenant acme ann"}, run: status,
			reads: true},
		{name: "unlock", arguments: "USER", does: "end the locks and counts of a user",
			explains: "It also enables kinds again that were disabled after too many failed " +
				"attempts.",
			user: true, acts: true, run: unlock,
			examples: []string{`unlock -by carol -reason "ticket 4711" ann`}},
		{name: "reset", arguments: "USER", does: "remove all factors of a user",
			explains: "The user enrols at the next sign-in, with the password alone, so identify " +
				"the user first. A temporary access code in place of a reset is safer; after a " +
				"reset it guards nothing.",
			user: true, acts: true, run: reset,
			examples: []string{`reset -by carol -reason "lost everything, passport seen" ann`}},
		{name: "access-code", arguments: "USER", does: "make a temporary access code",
			explains: "The code is written once, on standard output. The application must have " +
				"the kind access.",
			user: true, acts: true, flags: accessFlags, refuses: refuseAccess,
			run:      accessCode,
			examples: []string{`access-code -by carol -reason "lost phone" -valid 8h ann`}},
		{name: "recovery-link", arguments: "USER", does: "mail a link to set up another device",
			explains: "The link goes to every address that the user has verified, and is valid " +
				"once, for an hour. It is in place of an earlier one. The user identifies by " +
				"what else they have, and sets up a replacement. -smtp is " +
				"smtp://user:password@host:587?from=address with StartTLS, smtps: with TLS, or " +
				"smtp+insecure: without encryption. The files of $SSL_CERT_FILE are trusted in " +
				"place of the system's authorities.",
			user: true, acts: true, mails: true, flags: recoveryLinkFlags,
			refuses: refuseRecoveryLink, run: sendRecoveryLink,
			examples: []string{`recovery-link -by carol -reason "lost phone" -service Acme ` +
				`-setup-url https://acme.example/mfa/setup ann`}},
		{name: "export", arguments: "USER", does: "write a user's own data for that user",
			explains: "It is what a user may ask for under data protection law: everything that " +
				"is stored of the user but secrets, as JSON, with addresses and numbers in full. " +
				"It is no backup, and nothing imports it. The application adds its events, and " +
				"what it stores of passwords and of sign-on.",
			user: true, acts: true, flags: exportFlags, run: exportPersonalData,
			examples: []string{`export -by carol -reason "request 12" ann > ann.json`,
				`export -rp-id example.com -by carol -reason "request 12" ann > ann.json`}},
		{name: "delete", arguments: "USER", does: "delete everything stored of a user",
			explains: "For two hours something remains that refuses what was issued to the user " +
				"before.",
			user: true, acts: true, run: remove,
			examples: []string{`delete -by carol -reason "account closed" ann`}},
	}
}

// storeCommands are about the store and all its users.
func storeCommands() []command {
	return []command{
		{name: "init", does: "make the key file and the table",
			explains: "What is there stays as it is.",
			examples: []string{"init"}, keyless: true, flags: initFlags, run: initialise},
		{name: "report", does: "count users by tenant, user type and kind", run: showReport,
			explains: "It counts under the policies in the store, and under \"required\" where " +
				"there are none. It reads every record. The exit code is 4 if one cannot be " +
				"read.",
			examples: []string{"report", "report -json"}, reads: true},
		{name: "audit", does: "compare policies with a standard", run: audit, flags: auditFlags,
			explains: "It audits the policies in the store, and the one of users who have none " +
				"there: a second factor is required, and every kind is allowed. The kinds have " +
				"the library's default settings. Settings and policies in the code of the " +
				"application are audited by Manager.Audit there. The exit code is 4 if " +
				"something breaks the profile. Advice does not.",
			values: map[string][]string{"profile": {"default", "nist-aal2", "nist-aal3", "asvs-l2",
				"asvs-l3", "pci-dss-4"}},
			examples: []string{"audit -profile nist-aal2 -kinds totp,passkey,recovery",
				"audit -json -profile asvs-l3"}, reads: true},
		{name: "check", does: "look for problems of the store", run: check,
			explains: "It compares the clocks, reads the settings that decide whether an " +
				"acknowledged write survives a power cut, measures reads and writes, and runs " +
				"the conformance kit on scratch records, which it deletes. It needs " +
				"up to 16 connections to a database. With -replica it looks at a replica, and " +
				"writes nothing. The exit code is 4 if there is a problem.",
			flags: checkFlags, refuses: refuseCheck,
			examples: []string{"check", "check -json", "check -replica", "check -clean"}},
		{name: "loadtest", does: "measure sign-ins on scratch users",
			explains: "It makes users under a random prefix, which no user of the application " +
				"has, signs them in, and deletes them, also after an interrupt. A pair is Begin " +
				"and Verify of an authenticator code: two reads and one write. It needs no key " +
				"of the application. A database that serves users serves them more slowly " +
				"meanwhile. The exit code is 4 if sign-ins failed.",
			examples: []string{"loadtest", "loadtest -workers 64 -users 10000 -duration 1m",
				"loadtest -json -count 5000"},
			keyless: true, flags: loadFlags, refuses: refuseLoad, run: loadTest},
		{name: "rotate", does: "re-encrypt all records with the first key", acts: true,
			explains: "It works beside live traffic. After a run that was cut off, the next one " +
				"passes quickly over what is done. It shows the rate and the " +
				"time that remains.",
			examples: []string{`rotate -by carol -reason "yearly rotation"`}, run: rotate},
		{name: importName, arguments: "FILE", does: "import users from another system", acts: true,
			explains: "Users go on with the factors that they have. \"-\" is standard input. " +
				"Users who were imported before are skipped, so a run can be repeated. It shows the " +
				"rate and the time that remains.",
			combines: true, flags: importFlags, refuses: refuseImport, run: importUsers,
			argument: []string{anyFile},
			values: map[string][]string{"format": importFormats, "old-keys": {anyFile},
				"identity": {anyFile}, "passphrase": {anyFile}},
			examples: []string{
				"import -format keycloak -dry-run -by carol -reason move realm.json",
				"import -format csv -columns id=email,secret=otp_secret -by carol -reason move " +
					"users.csv",
				"import -identity key.txt -by carol -reason move users.age"}},
		moveOutCommand(),
	}
}

// keyCommands are about the keys that seal records.
func keyCommands() []command {
	return []command{
		{name: "keys list", does: "count records by the key that sealed them", run: listKeys,
			explains: "Before you take an older key away after a rotation, its count must be 0. " +
				"It counts the records of packages password and sso as well. It shows IDs, and " +
				"nothing of a key. The exit code is 4 if records need a key that is missing.",
			examples: []string{"keys list", "keys list -json"}, reads: true},
		{name: "keys add", does: "make a key that seals", acts: true,
			explains: "The new key is the first of the key file, and the older ones open. The file " +
				"is replaced as a whole, and stays its owner's alone. Restart all processes of the " +
				"application at once, because those with the old file cannot open what the new " +
				"key sealed. To restart them one after the other, add the key with -standby, " +
				"restart them, run keys promote, and restart them again. Then run rotate.",
			examples: []string{`keys add -by carol -reason "yearly rotation"`,
				`keys add -standby -by carol -reason "yearly rotation"`},
			flags: addKeyFlags, run: addKey},
		{name: "keys promote", arguments: "KEYID", does: "put a key first, so that it seals",
			explains: "Every process of the application must have read the key before.",
			examples: []string{`keys promote -by carol -reason "yearly rotation" 51ab09c3e0d47f26`},
			acts:     true, run: promoteKey},
		{name: "keys retire", arguments: "KEYID", does: "remove a key that is not in use",
			explains: "It refuses the key that seals, and one with which a record is sealed. " +
				"Every process must have the present key file, and a day must have passed " +
				"since the rotation: cookies and links that the key sealed end with it. An " +
				"import that runs since before the rotation seals with the old key, so let it " +
				"end, and rotate again.",
			examples: []string{`keys retire -by carol -reason "yearly rotation" 51ab09c3e0d47f26`},
			acts:     true, run: retireKey},
	}
}

// trailCommands are about the audit trail. They open no store, but for a comparison.
func trailCommands() []command {
	return []command{
		{name: "trail init", does: "make the key and the table of an audit trail",
			explains: "It writes the public key that auditors need. What is there stays as it is. " +
				"Keep the key outside the database. The application needs the same key, in " +
				"trail.Config.",
			examples:  []string{"trail init -trail trail.jsonl -trail-key trail.key"},
			storeless: true, flags: trailInitFlags, run: initialiseTrail},
		{name: "trail verify", does: "verify an audit trail",
			explains: "It needs no network but the database's, and no secret. It finds entries " +
				"that were altered, removed, reordered or written without the key. The end of a " +
				"trail can be cut off without a trace, unless an anchor, a checkpoint of before, " +
				"was kept elsewhere. It also finds where an older record of a user was put back " +
				"into the store, once the user has signed in after that. With -compare it reads the " +
				"record of each user from the store as well, with the keys, and finds those that are " +
				"older than the trail says, or gone. A user who is deleted meanwhile is no finding " +
				"once the trail has the deletion. A user whose entries were all erased cannot be " +
				"compared, and the output says so. It writes nothing. The exit code is 4 if " +
				"something is wrong.",
			examples: []string{"trail verify -public KEY -anchor last-week.txt",
				"trail verify -public KEY -compare",
				"trail verify -json -trail copy.jsonl -public KEY"},
			storeless: true, reads: true, flags: trailVerifyFlags, run: verifyTrail,
			values: map[string][]string{"anchor": {anyFile}}},
		{name: "trail restored", acts: true,
			does: "say in an audit trail that a backup of the store was restored",
			explains: "From then on trail verify reports the records of the backup as restored, " +
				"and not as put back by an attacker. A record that is older than the backup is " +
				"still found. Used recovery codes are valid again after a restore, so ask users " +
				"to make new ones.",
			examples: []string{`trail restored -backup 2026-11-28T03:00:00Z -by carol ` +
				`-reason "disk failed, ticket 4711"`},
			storeless: true, flags: trailRestoredFlags, run: noteRestore},
		{name: "trail show", does: "show what an audit trail says",
			explains: "Without -user it shows all entries. With -json it writes the entries as " +
				"they are kept. It does not verify them.",
			examples:  []string{"trail show -user ann", "trail show -json -tenant acme -user ann"},
			storeless: true, flags: trailShowFlags, run: showTrail},
		{name: "trail erase", arguments: "USER", does: "remove a user's data from the trail",
			explains: "It removes the user, the addresses, and the operators and reasons of acts " +
				"on the user from the entries about that user. That the events happened stays, and " +
				"an entry says which were erased, so the trail still verifies. The operator and the " +
				"reason of the erasure are kept without the user's name, so do not name the user " +
				"in the reason. What the user did to others stays. Delete the user from the " +
				"store first: later events would name the user again. An older record of the user " +
				"that an attacker puts back is no longer found. A run that was cut off can be " +
				"repeated.",
			examples: []string{`trail erase -by carol -reason "request 12" ann`,
				`trail erase -by carol -reason "request 12" -tenant acme ann`},
			storeless: true, acts: true, flags: trailEraseFlags, run: eraseFromTrail},
	}
}

// programCommands are about the program itself. They open no store.
func programCommands() []command {
	return []command{
		{name: "completion", arguments: "SHELL", does: "write the completion of a shell",
			explains: "SHELL is bash, zsh or fish. The script asks the program for the words.",
			examples: []string{
				"completion bash > /etc/bash_completion.d/secondgate",
				"completion zsh > /usr/local/share/zsh/site-functions/_secondgate",
				"completion fish > ~/.config/fish/completions/secondgate.fish"},
			argument: []string{"bash", "zsh", "fish"}, storeless: true, run: writeCompletion},
		{name: "man", does: "write the manual page",
			explains:  "It is made from the same list of commands as this help.",
			examples:  []string{"man > /usr/local/share/man/man1/secondgate.1"},
			storeless: true, run: writeManual},
	}
}
