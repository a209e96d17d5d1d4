package mailclients_test

// excuse is why the mails use what a client lacks.
type excuse struct {
	feature string
	// clients are clients, or families of them, between spaces.
	clients string
	why     string
	// never is an expression for the form of the feature that the clients lack, where they support
	// other forms. No mail has it.
	never string
}

const (
	plainThere = "the client then shows the mail in light colours, or makes dark ones itself"
	noStyles   = "the client drops the styles of the head, which hold the dark colours alone"
)

var excuses = []excuse{
	// Dark colours.
	{"color-scheme CSS property", "gmail outlook yahoo protonmail.android protonmail.ios " +
		"gmx web-de", plainThere, ""},
	{"color-scheme meta tag", "gmail outlook yahoo protonmail samsung-email gmx web-de " +
		"apple-mail.ios", plainThere, ""},
	{"@media", "gmail outlook.windows outlook.windows-mail outlook.android outlook.ios " +
		"outlook.outlook-com yahoo protonmail.desktop-webmail protonmail.ios samsung-email " +
		"thunderbird.macos", plainThere, `@media[^{]*(height|and|@media)`},
	{"<style> element", "gmail.mobile-webmail gmx web-de", noStyles, ""},
	{"<style> element", "gmail.android gmail.desktop-webmail gmail.ios outlook.windows " +
		"outlook.windows-mail protonmail.android protonmail.ios",
		"the styles are in the head, and are for Google accounts the dark colours alone",
		`(?s)<body.*<style`},
	{"Class selector", "gmail protonmail.desktop-webmail protonmail.ios", noStyles, ""},
	{"Type selector", "gmail protonmail.desktop-webmail protonmail.ios gmx web-de",
		"the rule is for Outlook on Windows", ""},
	{"!important keyword", "gmx web-de", noStyles, ""},
	{"!important keyword", "gmail outlook.windows outlook.windows-mail protonmail yahoo",
		"dark colours alone need it", `\S!important|! |!IMPORTANT|style="[^"]*!important`},

	// The frame.
	{"<body> element", "gmail outlook.android outlook.ios outlook.macos outlook.outlook-com " +
		"protonmail yahoo", "the first table has the background, and a <div> the language", ""},
	{"max-width", "outlook.windows outlook.windows-mail apple-mail.ios",
		"it is on a table, which also has a width of 480 for those that need it",
		`<(p|div|td|a|img)\b[^>]*max-width:[^0]`},
	{"width attribute", "outlook.windows", "what is wrong there are images", `<img`},
	{"width property", "outlook.windows", "it is on a table",
		`<(body|span|div|p|img)\b[^>]*[; "]width:`},
	{"align attribute", "outlook.macos protonmail.desktop-webmail",
		"a cell is centred, and neither an image nor a table aligned",
		`<img|<table[^>]* align=`},
	{"role attribute", "yahoo", "it is on tables", `<(p|div|td|tr|a|span)\b[^>]* role=`},
	{"role attribute", "gmx web-de outlook.windows-mail",
		"a screen reader there names a table around the text", ""},
	{"border-radius", "gmx.desktop-webmail web-de.desktop-webmail outlook.windows " +
		"outlook.windows-mail", "the corners are square there", ""},
	{"border-radius", "yahoo", "corners are round, not elliptic", `border-radius:[^;"]*/`},
	{"border", "outlook.windows outlook.windows-mail", "borders are thin, and on cells",
		`border(-(top|bottom|left|right))?(-width)?:(9|\d\d+)px|<(p|div)\b[^>]*border`},
	{"background", "outlook.windows outlook.windows-mail yahoo gmx web-de",
		"it is one colour", `background:[^;"]*(,|/|url)`},
	{"padding", "outlook.windows outlook.windows-mail",
		"it is on cells; that of the button's link is stated for them on its cell",
		`<(p|div|span|table)\b[^>]*padding:[^0]|<a\b[^>]*[^-]padding:[^;"]*;(?:[^m]|m[^s])`},
	{"margin", "gmail outlook.android outlook.ios outlook.outlook-com outlook.windows " +
		"outlook.windows-mail yahoo",
		"it is on paragraphs without a background, and has a size",
		`margin:[^;"]*(-\d|auto)|<(span|table|td|a)\b[^>]*margin:|<p\b[^>]*background`},

	// Text.
	{"font-size", "outlook.windows outlook.windows-mail yahoo samsung-email gmx web-de",
		"sizes are in pixels", `font-size:[^;"]*(em|%|er|ll|ge|um)`},
	{"font-weight", "outlook.windows outlook.windows-mail yahoo", "the weight is a hundred",
		`font-weight:(?:[^1-9]|\d(?:[^0]|0[^0]))`},
	{"line-height", "outlook.windows outlook.windows-mail",
		"the styles of the head have mso-line-height-rule:exactly", `line-height:[\d.]+(em|;|")`},
	{"letter-spacing", "outlook.windows outlook.windows-mail", "it is a few pixels",
		`letter-spacing:(-|[\d.]+em)`},
	{"text-align", "gmail.android gmail.mobile-webmail outlook.android outlook.windows " +
		"outlook.windows-mail samsung-email yahoo gmx web-de", "left, right and center are supported",
		`text-align:(start|end|match|-webkit|justify)`},
	{"word-break", "gmail outlook apple-mail yahoo samsung-email protonmail gmx web-de",
		"words in Korean are torn there at the ends of lines", `word-break:[^k]`},
	{"text-decoration", "protonmail.ios", "the text of the button is underlined there", ""},
	{"text-decoration", "gmail.android gmail.ios outlook.windows outlook.windows-mail gmx web-de",
		"the one value is none", `text-decoration:(?:[^n]|n[^o])`},
	{"dir attribute", "gmx web-de", "the direction is a style as well", ""},
	{"dir attribute", "gmail.mobile-webmail outlook.windows outlook.windows-mail",
		"the whole mail has one direction", `<a\b[^>]* dir=`},
	{"direction", "gmail.mobile-webmail", "the whole mail has one direction", ""},
	{"lang attribute", "gmx web-de", "a screen reader there guesses the language", ""},
	{"lang attribute", "yahoo", "it is on a <div>", `<td[^>]* lang=`},

	// What a list of mails shows beside the subject, and a mail does not.
	{"display:none", "gmail.mobile-webmail", "the text is a pixel high there, in the background's " +
		"colour, and overflow hides it", ""},
	{"display:none", "outlook.windows outlook.windows-mail",
		"it holds neither a table nor an image", `display:none[^>]*>[^<]*<(table|img)`},
	{"max-height property", "outlook.windows outlook.windows-mail", "display:none hides the text",
		""},
	{"overflow", "outlook.windows outlook.windows-mail", "display:none hides the text", ""},
	{"overflow", "gmail outlook.android outlook.ios outlook.macos outlook.outlook-com " +
		"apple-mail yahoo protonmail gmx web-de", "nothing scrolls",
		`overflow:(?:[^h]|h[^i])|overflow-`},
	{"display", "gmail.android gmail.ios outlook.windows outlook.windows-mail yahoo gmx web-de",
		"the values are none and inline-block", `display:(flow|flex|grid|inline[^-]|inline-[^b]|` +
			`block|contents|table|ruby|list|initial|inherit|revert|unset)`},
}
