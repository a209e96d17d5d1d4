package email

var notices = map[*words]*noticeWords{&english: &englishNotices, &dutch: &dutchNotices,
	&norwegian: &norwegianNotices, &german: &germanNotices}

var englishNotices = noticeWords{
	texts: map[string][2]string{
		"factor.added": {"A sign-in method was added at %[1]s",
			"“%[3]s” (%[2]s) was added to the ways you can confirm a sign-in to %[1]s."},
		"factor.replaced": {"A sign-in method was replaced at %[1]s", "“%[3]s” (%[2]s) has " +
			"taken the place of what you used before to confirm a sign-in to %[1]s. The old one " +
			"no longer works."},
		"factor.removed": {"A sign-in method was removed at %[1]s",
			"“%[3]s” (%[2]s) was removed from the ways you can confirm a sign-in to %[1]s."},
		"factor.renamed": {"A sign-in method was renamed at %[1]s",
			"A way to confirm your sign-in to %[1]s (%[2]s) is now called “%[3]s”."},
		"address.confirmed": {"Your e-mail address was confirmed at %[1]s",
			"This address was confirmed as yours at %[1]s."},
		"recovery.regenerated": {"New recovery codes at %[1]s", "New recovery codes were made " +
			"for your account at %[1]s. The ones before no longer work."},
		"recovery.replacement": {"A lost sign-in method was replaced at %[1]s",
			"“%[3]s” (%[2]s) was set up by a recovery for your account at %[1]s, in place of " +
				"what was lost. It signs in at once. Until %[4]s it changes nothing else, and " +
				"everything you had before keeps working. If this was not you, sign in with a " +
				"method that you had before and cancel it in your security settings."},
		"recovery.used": {"A recovery code was used at %[1]s", "Someone signed in to your " +
			"account at %[1]s with your password and a recovery code (%[2]s)."},
		"recovery.low": {"Few recovery codes are left at %[1]s", "You have %[5]d " +
			"recovery codes left at %[1]s. Make new ones in your security settings."},
		"lockout.locked": {"Your account at %[1]s is locked for a moment",
			"After several wrong codes (%[2]s) no one can confirm a sign-in to your account at " +
				"%[1]s until %[4]s. Your correct password was entered before the codes."},
		"lockout.disabled": {"A sign-in method was turned off at %[1]s", "After too many " +
			"wrong codes, %[2]s was turned off for your account at %[1]s. Use another way to " +
			"sign in, unlock it in the sign-in page, or ask support."},
		"lockout.unlocked": {"A sign-in method works again at %[1]s", "%[2]s was turned off " +
			"for your account at %[1]s, and works again after several correct codes in a row."},
		"verify.failure": {"Wrong codes for your account at %[1]s", "Someone entered the " +
			"correct password of your account at %[1]s, and then wrong codes (%[2]s). They did " +
			"not get in."},
		"challenge.abandoned": {"An unfinished sign-in to your account at %[1]s",
			"Someone entered the correct password of your account at %[1]s and did not complete " +
				"the sign-in. They did not get in."},
		"device.remembered": {"A device is remembered at %[1]s",
			"The device “%[3]s” signs in to your account at %[1]s without a code from now on."},
		"device.reused": {"A device was forgotten at %[1]s", "What lets a remembered device " +
			"sign in to your account at %[1]s was used twice, so it may have been copied. The " +
			"device must give a code again."},
		"device.revoked": {"A device must give a code again at %[1]s",
			"The device “%[3]s” no longer signs in to your account at %[1]s without a code."},
		"device.revoked/": {"Remembered devices must give a code again at %[1]s",
			"Remembered devices no longer sign in to your account at %[1]s without a code."},
		"factor.cloned": {"A passkey may have been copied at %[1]s", "A passkey of your " +
			"account at %[1]s was used in a way that shows that there may be a copy of it. " +
			"Remove it, and set up another."},
		"admin.reset": {"Your account at %[1]s was reset", "An administrator removed all " +
			"the ways you confirmed a sign-in to %[1]s with. You set up a new one the next time " +
			"you sign in."},
		"admin.remove": {"An administrator removed a sign-in method at %[1]s", "An " +
			"administrator removed “%[3]s” (%[2]s) from the ways you can confirm a sign-in to " +
			"%[1]s."},
		"admin.unlock": {"Your account at %[1]s was unlocked",
			"An administrator has unlocked your account at %[1]s."},
		"admin.access": {"A temporary access code for your account at %[1]s",
			"An administrator made a temporary access code for your account at %[1]s. Anyone " +
				"with this code and your password can sign in."},
		"admin.delete": {"Your account was deleted at %[1]s", "An administrator deleted " +
			"your account at %[1]s, or all that it held about how you confirm a sign-in."},
		"support.requested": {"Support was asked for your account at %[1]s", "Someone entered " +
			"the correct password of your account at %[1]s and asked support to help with the " +
			"second step."},
		"setup.link": {"Set up a new device at %[1]s",
			"Set up a new way to confirm your sign-in to %[1]s."},
	},
	other: [2]string{"A change to your account at %[1]s",
		"Something changed in how you sign in to %[1]s. See your security settings."},
	kinds: map[string]string{"totp": "authenticator app", "email": "e-mail", "sms": "text message",
		"pin": "PIN", "recovery": "recovery code",
		"questions": "security questions", "passkey": "passkey", "access": "temporary access code"},
	when: "This happened at %s.",
	notYou: "If this was not you, change your password, check your security settings, and " +
		"contact the support of %[1]s.",
	linkIgnore: "If you did not ask for this, someone may know your password: change it, and do " +
		"not open the link.",
	linkButton: "Set up a new device", linkOpen: "Open this link:",
	linkTerms: "The link is valid for an hour, and works once.",
}

var dutchNotices = noticeWords{
	texts: map[string][2]string{
		"factor.added": {"Er is een inlogmethode toegevoegd bij %[1]s",
			"‘%[3]s’ (%[2]s) is toegevoegd aan de manieren waarop je het inloggen bij %[1]s " +
				"kunt bevestigen."},
		"factor.replaced": {"Er is een inlogmethode vervangen bij %[1]s", "‘%[3]s’ (%[2]s) " +
			"is in de plaats gekomen van wat je eerder gebruikte om het inloggen bij %[1]s te " +
			"bevestigen. Het oude werkt niet meer."},
		"factor.removed": {"Er is een inlogmethode verwijderd bij %[1]s",
			"‘%[3]s’ (%[2]s) is verwijderd uit de manieren waarop je het inloggen bij %[1]s " +
				"kunt bevestigen."},
		"factor.renamed": {"Een inlogmethode heeft een andere naam bij %[1]s",
			"Een manier waarop je het inloggen bij %[1]s bevestigt (%[2]s) heet nu ‘%[3]s’."},
		"address.confirmed": {"Je e-mailadres is bevestigd bij %[1]s",
			"Dit adres is bij %[1]s bevestigd als het jouwe."},
		"recovery.regenerated": {"Nieuwe herstelcodes bij %[1]s", "Er zijn nieuwe herstelcodes " +
			"gemaakt voor je account bij %[1]s. De vorige werken niet meer."},
		"recovery.replacement": {"Een verloren inlogmethode is vervangen bij %[1]s",
			"‘%[3]s’ (%[2]s) is door een herstel ingesteld voor je account bij %[1]s, in plaats " +
				"van wat kwijt was. Je kunt er meteen mee inloggen. Tot %[4]s verandert dit " +
				"niets anders en blijft alles werken wat je al had. Was jij dit niet? Log dan " +
				"in met een methode die je al had en annuleer het herstel bij je " +
				"beveiligingsinstellingen."},
		"recovery.used": {"Er is een herstelcode gebruikt bij %[1]s", "Iemand heeft met " +
			"je wachtwoord en een herstelcode (%[2]s) ingelogd op je account bij %[1]s."},
		"recovery.low": {"Je hebt weinig herstelcodes over bij %[1]s",
			"Je hebt nog %[5]d herstelcodes bij %[1]s. Maak nieuwe bij je beveiligingsinstellingen."},
		"lockout.locked": {"Je account bij %[1]s is even geblokkeerd", "Na meerdere foute " +
			"codes (%[2]s) kan niemand het inloggen op je account bij %[1]s bevestigen tot " +
			"%[4]s. Wie het probeerde kent je wachtwoord."},
		"lockout.disabled": {"Een inlogmethode is stopgezet bij %[1]s", "Na heel veel foute " +
			"antwoorden is %[2]s stopgezet voor je account bij %[1]s. Log op een andere manier " +
			"in, maak hem vrij op de inlogpagina, of vraag support."},
		"lockout.unlocked": {"Een inlogmethode werkt weer bij %[1]s", "%[2]s was stopgezet " +
			"voor je account bij %[1]s en werkt weer, na meerdere juiste antwoorden op rij."},
		"verify.failure": {"Foute codes voor je account bij %[1]s", "Iemand gaf het juiste " +
			"wachtwoord van je account bij %[1]s, en daarna foute antwoorden (%[2]s). Die " +
			"persoon is niet binnengekomen."},
		"challenge.abandoned": {"Niet afgemaakte aanmelding bij je account bij %[1]s",
			"Iemand gaf het juiste wachtwoord van je account bij %[1]s en maakte het inloggen " +
				"niet af. Die persoon is niet binnengekomen."},
		"device.remembered": {"Een apparaat wordt onthouden bij %[1]s",
			"Het apparaat ‘%[3]s’ logt voortaan zonder code in op je account bij %[1]s."},
		"device.reused": {"Een apparaat is vergeten bij %[1]s", "Waarmee een onthouden " +
			"apparaat inlogt op je account bij %[1]s is twee keer gebruikt en dus misschien " +
			"gekopieerd. Het apparaat moet weer een code geven."},
		"device.revoked": {"Een apparaat moet weer een code geven bij %[1]s",
			"Het apparaat ‘%[3]s’ logt niet meer zonder code in op je account bij %[1]s."},
		"device.revoked/": {"Onthouden apparaten moeten weer een code geven bij %[1]s",
			"Onthouden apparaten loggen niet meer zonder code in op je account bij %[1]s."},
		"factor.cloned": {"Een passkey is misschien gekopieerd bij %[1]s", "Een passkey van " +
			"je account bij %[1]s is gebruikt op een manier die erop wijst dat er een kopie van " +
			"is. Verwijder hem en stel een andere in."},
		"admin.reset": {"Je account bij %[1]s is gereset", "Een beheerder heeft alle " +
			"manieren verwijderd waarmee je het inloggen bij %[1]s bevestigde. Bij de volgende " +
			"keer inloggen stel je een nieuwe in."},
		"admin.remove": {"Een beheerder heeft een inlogmethode verwijderd bij %[1]s",
			"Een beheerder heeft " +
				"‘%[3]s’ (%[2]s) verwijderd uit de manieren waarop je het inloggen bij %[1]s kunt " +
				"bevestigen."},
		"admin.unlock": {"Je account bij %[1]s is gedeblokkeerd",
			"Een beheerder heeft je account bij %[1]s gedeblokkeerd."},
		"admin.access": {"Een tijdelijke toegangscode voor je account bij %[1]s",
			"Een beheerder heeft een tijdelijke toegangscode gemaakt voor je account bij %[1]s. " +
				"Wie die en je wachtwoord heeft, kan inloggen."},
		"admin.delete": {"Je account is verwijderd bij %[1]s", "Een beheerder heeft je " +
			"account bij %[1]s verwijderd, of alles wat daarin stond over hoe je het inloggen " +
			"bevestigt."},
		"support.requested": {"Er is hulp gevraagd voor je account bij %[1]s", "Iemand gaf het " +
			"juiste wachtwoord van je account bij %[1]s en vroeg support om hulp bij de tweede " +
			"stap."},
		"setup.link": {"Stel een nieuw apparaat in bij %[1]s",
			"Stel een nieuwe manier in om het inloggen bij %[1]s te bevestigen."},
	},
	other: [2]string{"Een wijziging in je account bij %[1]s",
		"Er is iets veranderd aan hoe je inlogt bij %[1]s. Kijk bij je beveiligingsinstellingen."},
	kinds: map[string]string{"totp": "authenticator-app", "email": "e-mail", "sms": "sms",
		"pin": "pincode", "recovery": "herstelcode",
		"questions": "beveiligingsvragen", "passkey": "passkey",
		"access": "tijdelijke toegangscode"},
	when: "Dit gebeurde op %s.",
	notYou: "Was jij dit niet? Wijzig je wachtwoord, controleer je beveiligingsinstellingen " +
		"en meld het bij de support van %[1]s.",
	linkIgnore: "Heb je hier niet om gevraagd? Dan kent iemand misschien je wachtwoord: wijzig " +
		"het, en open de link niet.",
	linkButton: "Nieuw apparaat instellen", linkOpen: "Open deze link:",
	linkTerms: "De link is een uur geldig en werkt één keer.",
}

var norwegianNotices = noticeWords{
	texts: map[string][2]string{
		"factor.added": {"En innloggingsmetode ble lagt til hos %[1]s",
			"«%[3]s» (%[2]s) ble lagt til måtene du kan bekrefte innlogging til %[1]s på."},
		"factor.replaced": {"En innloggingsmetode ble erstattet hos %[1]s",
			"«%[3]s» (%[2]s) har erstattet det du før brukte for å bekrefte innlogging til " +
				"%[1]s. Det gamle virker ikke lenger."},
		"factor.removed": {"En innloggingsmetode ble fjernet hos %[1]s",
			"«%[3]s» (%[2]s) ble fjernet fra måtene du kan bekrefte innlogging til %[1]s på."},
		"factor.renamed": {"En innloggingsmetode fikk nytt navn hos %[1]s",
			"En måte du bekrefter innlogging til %[1]s på (%[2]s), heter nå «%[3]s»."},
		"address.confirmed": {"E-postadressen din ble bekreftet hos %[1]s",
			"Denne adressen ble bekreftet som din hos %[1]s."},
		"recovery.regenerated": {"Nye gjenopprettingskoder hos %[1]s", "Det ble laget nye " +
			"gjenopprettingskoder for kontoen din hos %[1]s. De forrige virker ikke lenger."},
		"recovery.replacement": {"En mistet innloggingsmetode ble erstattet hos %[1]s",
			"«%[3]s» (%[2]s) ble satt opp ved en gjenoppretting for kontoen din hos %[1]s, i " +
				"stedet for det som var mistet. Den kan brukes til å logge inn med en gang. Til " +
				"%[4]s endrer den ikke noe annet, og alt du hadde fra før, virker. Var det ikke " +
				"deg, logger du inn med en metode du hadde fra før, og avbryter " +
				"gjenopprettingen i sikkerhetsinnstillingene."},
		"recovery.used": {"En gjenopprettingskode ble brukt hos %[1]s", "Noen logget inn " +
			"på kontoen din hos %[1]s med passordet ditt og en gjenopprettingskode (%[2]s)."},
		"recovery.low": {"Du har få gjenopprettingskoder igjen hos %[1]s",
			"Du har %[5]d gjenopprettingskoder igjen hos %[1]s. Lag nye i sikkerhetsinnstillingene."},
		"lockout.locked": {"Kontoen din hos %[1]s er låst en liten stund",
			"Etter flere feil koder (%[2]s) kan ingen bekrefte innlogging til kontoen din hos " +
				"%[1]s før %[4]s. Den som prøvde, kjenner passordet ditt."},
		"lockout.disabled": {"En innloggingsmetode ble stoppet hos %[1]s",
			"Etter svært mange feil svar ble %[2]s stoppet for kontoen din hos %[1]s. Logg inn " +
				"på en annen måte, lås den opp på innloggingssiden, eller spør brukerstøtte."},
		"lockout.unlocked": {"En innloggingsmetode virker igjen hos %[1]s",
			"%[2]s var stoppet for kontoen din hos %[1]s og virker igjen, etter flere riktige " +
				"svar på rad."},
		"verify.failure": {"Feil koder for kontoen din hos %[1]s", "Noen oppga riktig " +
			"passord for kontoen din hos %[1]s, og deretter feil svar (%[2]s). De kom ikke inn."},
		"challenge.abandoned": {"En uferdig innlogging til kontoen din hos %[1]s",
			"Noen oppga riktig passord for kontoen din hos %[1]s og fullførte ikke " +
				"innloggingen. De kom ikke inn."},
		"device.remembered": {"En enhet huskes hos %[1]s",
			"Enheten «%[3]s» logger fra nå av inn på kontoen din hos %[1]s uten kode."},
		"device.reused": {"En enhet ble glemt hos %[1]s", "Det som lar en husket enhet " +
			"logge inn på kontoen din hos %[1]s, ble brukt to ganger og kan være kopiert. " +
			"Enheten må oppgi en kode igjen."},
		"device.revoked": {"En enhet må oppgi kode igjen hos %[1]s",
			"Enheten «%[3]s» logger ikke lenger inn på kontoen din hos %[1]s uten kode."},
		"device.revoked/": {"Enheter som ble husket, må oppgi kode igjen hos %[1]s",
			"Enheter som ble husket, logger ikke lenger inn på kontoen din hos %[1]s uten kode."},
		"factor.cloned": {"En passnøkkel kan være kopiert hos %[1]s", "En passnøkkel til " +
			"kontoen din hos %[1]s ble brukt på en måte som tyder på at det finnes en kopi. " +
			"Fjern den, og sett opp en annen."},
		"admin.reset": {"Kontoen din hos %[1]s ble tilbakestilt", "En administrator " +
			"fjernet alle måtene du bekreftet innlogging til %[1]s på. Du setter opp en ny " +
			"neste gang du logger inn."},
		"admin.remove": {"En administrator fjernet en innloggingsmetode hos %[1]s",
			"En administrator fjernet " +
				"«%[3]s» (%[2]s) fra måtene du kan bekrefte innlogging til %[1]s på."},
		"admin.unlock": {"Kontoen din hos %[1]s ble låst opp",
			"En administrator har låst opp kontoen din hos %[1]s."},
		"admin.access": {"En midlertidig tilgangskode for kontoen din hos %[1]s",
			"En administrator laget en midlertidig tilgangskode for kontoen din hos %[1]s. Den " +
				"som har den og passordet ditt, kan logge inn."},
		"admin.delete": {"Kontoen din ble slettet hos %[1]s", "En administrator slettet " +
			"kontoen din hos %[1]s, eller alt den hadde om hvordan du bekrefter innlogging."},
		"support.requested": {"Det ble bedt om hjelp for kontoen din hos %[1]s",
			"Noen oppga riktig passord for kontoen din hos %[1]s og ba brukerstøtte om hjelp " +
				"med det andre steget."},
		"setup.link": {"Sett opp en ny enhet hos %[1]s",
			"Sett opp en ny måte å bekrefte innlogging til %[1]s på."},
	},
	other: [2]string{"En endring i kontoen din hos %[1]s",
		"Noe er endret i hvordan du logger inn hos %[1]s. Se sikkerhetsinnstillingene."},
	kinds: map[string]string{"totp": "autentiseringsapp", "email": "e-post", "sms": "tekstmelding",
		"pin": "PIN-kode", "recovery": "gjenopprettingskode",
		"questions": "sikkerhetsspørsmål", "passkey": "passnøkkel",
		"access": "midlertidig tilgangskode"},
	when: "Dette skjedde %s.",
	notYou: "Var dette ikke deg, bytter du passord, sjekker sikkerhetsinnstillingene og " +
		"sier fra til brukerstøtten hos %[1]s.",
	linkIgnore: "Har du ikke bedt om dette, kan noen kjenne passordet ditt: bytt det, og ikke " +
		"åpne lenken.",
	linkButton: "Sett opp en ny enhet", linkOpen: "Åpne denne lenken:",
	linkTerms: "Lenken er gyldig i en time og virker én gang.",
}

var germanNotices = noticeWords{
	texts: map[string][2]string{
		"factor.added": {"Eine Anmeldemethode wurde bei %[1]s hinzugefügt",
			"„%[3]s“ (%[2]s) kann jetzt Ihre Anmeldung bei %[1]s bestätigen."},
		"factor.replaced": {"Eine Anmeldemethode wurde bei %[1]s ersetzt",
			"„%[3]s“ (%[2]s) hat ersetzt, womit Sie Ihre Anmeldung bei %[1]s bisher bestätigt " +
				"haben. Das Alte gilt nicht mehr."},
		"factor.removed": {"Eine Anmeldemethode wurde bei %[1]s entfernt",
			"„%[3]s“ (%[2]s) kann Ihre Anmeldung bei %[1]s nicht mehr bestätigen."},
		"factor.renamed": {"Eine Anmeldemethode wurde bei %[1]s umbenannt",
			"Was Ihre Anmeldung bei %[1]s bestätigt (%[2]s), heißt jetzt „%[3]s“."},
		"address.confirmed": {"Ihre E-Mail-Adresse wurde bei %[1]s bestätigt",
			"Diese Adresse wurde bei %[1]s als Ihre bestätigt."},
		"recovery.regenerated": {"Neue Wiederherstellungscodes bei %[1]s", "Für Ihr Konto bei " +
			"%[1]s wurden neue Wiederherstellungscodes erstellt. Die bisherigen gelten nicht mehr."},
		"recovery.replacement": {"Eine verlorene Anmeldemethode wurde bei %[1]s ersetzt",
			"„%[3]s“ (%[2]s) wurde durch eine Wiederherstellung für Ihr Konto bei %[1]s " +
				"eingerichtet, als Ersatz für Verlorenes. Die Anmeldung damit ist sofort " +
				"möglich. Bis %[4]s ändert sich sonst nichts, und alles, was Sie vorher hatten, " +
				"gilt weiter. Waren Sie das nicht, melden Sie sich mit einer Methode an, die " +
				"Sie vorher hatten, und brechen Sie die Wiederherstellung in den " +
				"Sicherheitseinstellungen ab."},
		"recovery.used": {"Ein Wiederherstellungscode wurde bei %[1]s verwendet",
			"Jemand hat sich mit Ihrem Passwort und einem Wiederherstellungscode (%[2]s) bei " +
				"Ihrem Konto bei %[1]s angemeldet."},
		"recovery.low": {"Nur noch wenige Wiederherstellungscodes bei %[1]s",
			"Sie haben bei %[1]s noch %[5]d Wiederherstellungscodes. Erstellen Sie in den " +
				"Sicherheitseinstellungen neue."},
		"lockout.locked": {"Ihr Konto bei %[1]s ist kurz gesperrt",
			"Nach mehreren falschen Codes (%[2]s) kann bis %[4]s niemand die Anmeldung bei " +
				"Ihrem Konto bei %[1]s bestätigen. Wer es versucht hat, kennt Ihr Passwort."},
		"lockout.disabled": {"Eine Anmeldemethode wurde bei %[1]s angehalten",
			"Nach sehr vielen falschen Antworten wurde für Ihr Konto bei %[1]s angehalten: " +
				"%[2]s. Melden Sie sich auf anderem Weg an, entsperren Sie sie auf der " +
				"Anmeldeseite, oder fragen Sie den Support."},
		"lockout.unlocked": {"Eine Anmeldemethode gilt bei %[1]s wieder", "Für Ihr Konto bei " +
			"%[1]s war angehalten und gilt nach mehreren richtigen Antworten hintereinander " +
			"wieder: %[2]s."},
		"verify.failure": {"Falsche Codes für Ihr Konto bei %[1]s", "Jemand hat das " +
			"richtige Passwort Ihres Kontos bei %[1]s eingegeben und danach falsche Antworten " +
			"(%[2]s). Die Anmeldung ist nicht gelungen."},
		"challenge.abandoned": {"Eine abgebrochene Anmeldung bei Ihrem Konto bei %[1]s",
			"Jemand hat das richtige Passwort Ihres Kontos bei %[1]s eingegeben und die " +
				"Anmeldung nicht abgeschlossen."},
		"device.remembered": {"Ein Gerät ist bei %[1]s gespeichert",
			"Das Gerät „%[3]s“ meldet sich ab jetzt ohne Code bei Ihrem Konto bei %[1]s an."},
		"device.reused": {"Ein Gerät wurde bei %[1]s vergessen", "Womit sich ein " +
			"gespeichertes Gerät bei Ihrem Konto bei %[1]s anmeldet, wurde zweimal verwendet " +
			"und ist vielleicht kopiert worden. Das Gerät muss wieder einen Code angeben."},
		"device.revoked": {"Ein Gerät braucht bei %[1]s wieder einen Code",
			"Das Gerät „%[3]s“ meldet sich nicht mehr ohne Code bei Ihrem Konto bei %[1]s an."},
		"device.revoked/": {"Gespeicherte Geräte brauchen bei %[1]s wieder einen Code",
			"Gespeicherte Geräte melden sich nicht mehr ohne Code bei Ihrem Konto bei %[1]s an."},
		"factor.cloned": {"Ein Passkey bei %[1]s wurde vielleicht kopiert",
			"Ein Passkey Ihres Kontos bei %[1]s wurde so verwendet, dass es eine Kopie davon " +
				"geben könnte. Entfernen Sie ihn, und richten Sie einen anderen ein."},
		"admin.reset": {"Ihr Konto bei %[1]s wurde zurückgesetzt", "Ein Administrator hat " +
			"alles entfernt, womit Sie die Anmeldung bei %[1]s bestätigt haben. Bei der " +
			"nächsten Anmeldung richten Sie etwas Neues ein."},
		"admin.remove": {"Ein Administrator hat eine Anmeldemethode bei %[1]s entfernt",
			"Ein Administrator hat " +
				"„%[3]s“ (%[2]s) entfernt. Damit bestätigen Sie keine Anmeldung bei %[1]s mehr."},
		"admin.unlock": {"Ihr Konto bei %[1]s wurde entsperrt",
			"Ein Administrator hat Ihr Konto bei %[1]s entsperrt."},
		"admin.access": {"Ein vorläufiger Zugangscode für Ihr Konto bei %[1]s",
			"Ein Administrator hat für Ihr Konto bei %[1]s einen vorläufigen Zugangscode " +
				"erstellt. Wer ihn und Ihr Passwort hat, kann sich anmelden."},
		"admin.delete": {"Ihr Konto wurde bei %[1]s gelöscht", "Ein Administrator hat Ihr " +
			"Konto bei %[1]s gelöscht, oder alles darin, womit Sie die Anmeldung bestätigen."},
		"support.requested": {"Für Ihr Konto bei %[1]s wurde Hilfe angefordert",
			"Jemand hat das richtige Passwort Ihres Kontos bei %[1]s eingegeben und den Support " +
				"um Hilfe beim zweiten Schritt gebeten."},
		"setup.link": {"Richten Sie bei %[1]s ein neues Gerät ein",
			"Richten Sie einen neuen Weg ein, Ihre Anmeldung bei %[1]s zu bestätigen."},
	},
	other: [2]string{"Eine Änderung an Ihrem Konto bei %[1]s", "An Ihrer Anmeldung bei %[1]s " +
		"hat sich etwas geändert. Sehen Sie in den Sicherheitseinstellungen nach."},
	kinds: map[string]string{"totp": "Authenticator-App", "email": "E-Mail", "sms": "SMS",
		"pin": "PIN", "recovery": "Wiederherstellungscode",
		"questions": "Sicherheitsfragen", "passkey": "Passkey",
		"access": "vorläufiger Zugangscode"},
	when: "Das geschah am %s.",
	notYou: "Waren Sie das nicht, ändern Sie Ihr Passwort, prüfen Sie Ihre " +
		"Sicherheitseinstellungen, und melden Sie es dem Support von %[1]s.",
	linkIgnore: "Haben Sie das nicht angefordert, kennt vielleicht jemand Ihr Passwort: Ändern " +
		"Sie es, und öffnen Sie den Link nicht.",
	linkButton: "Neues Gerät einrichten", linkOpen: "Öffnen Sie diesen Link:",
	linkTerms: "Der Link gilt eine Stunde und nur einmal.",
}
