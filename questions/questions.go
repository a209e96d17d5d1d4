// Package questions is the factor of last resort: three security questions that a user answers
// to replace a lost device.
//
//	f, err := questions.New(questions.Config{})
//
// Think twice before you configure it. An attacker can often find the answers out, and users forget
// answers that they made up. NIST SP 800-63-4 section 2.3.1 does not accept such questions, OWASP
// ASVS 5.0 6.4.2 forbids them, and the strict profiles refuse them. The package is for applications
// that have security questions and cannot drop them yet.
//
// Correct answers do not sign in. They permit the enrolment of a replacement, and only after the
// user has opened a mailed recovery link (mfa.Session.OpenRecoveryLink). The Manager does not offer
// them to a user with another way of recovery, such as recovery codes. All three answers are
// verified at once, and no error says which was incorrect. Failed attempts are counted and lock,
// as with any factor.
//
// The factor keeps the questions as the user chose or wrote them. It keeps the answers as one
// argon2id hash over all three (19 MiB, two passes), in a sealed record.
package questions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/secondgate/secondgate/internal/kdf"
	"github.com/secondgate/secondgate/mfa/factor"
)

const (
	// Count is how many questions there are.
	Count = 3

	minQuestion      = 8   // bytes: six characters can be a question in some scripts
	maxQuestion      = 160 // characters
	maxAnswer        = 128 // characters, as typed
	defaultMinAnswer = 3   // characters, normalised

	stateVersion = 1

	// maxImportedCost is how long a comparison with an imported hash may take, about.
	maxImportedCost = time.Second
)

var questionForm = fmt.Sprintf("a question has %d bytes to %d characters of printable text",
	minQuestion, maxQuestion)

// Config configures a Factor. The zero value is ready to use.
type Config struct {
	// MinAnswer is the minimum number of characters in an answer, without spaces. Defaults to 3.
	// Must be between 2 and 32.
	MinAnswer int
	// Memory in KiB, Passes and Threads are the parameters of argon2id. If all are zero they
	// default to 19456, 2 and 1. Must be at least as strong as one of OWASP's list.
	Memory, Passes uint32
	Threads        uint8
	// MaxConcurrent is how many hashes are computed at once, each with Memory. Defaults to the
	// number of processors.
	MaxConcurrent int
}

// Factor is the security questions factor, with the kind "questions". It is safe for concurrent
// use.
type Factor struct {
	least int
	hash  *kdf.Hasher
}

var (
	_ factor.Normalizer = (*Factor)(nil)
	_ factor.Describer  = (*Factor)(nil)
)

// New returns a Factor, or an error that names the field of cfg that is not valid.
func New(cfg Config) (*Factor, error) {
	if cfg.MinAnswer == 0 {
		cfg.MinAnswer = defaultMinAnswer
	}
	if cfg.MinAnswer < 2 || cfg.MinAnswer > 32 {
		return nil, fmt.Errorf("questions: MinAnswer is %d, want 2 to 32", cfg.MinAnswer)
	}
	h, err := kdf.New(kdf.Params{Memory: cfg.Memory, Time: cfg.Passes, Threads: cfg.Threads},
		cfg.MaxConcurrent)
	if err != nil {
		return nil, fmt.Errorf("questions: %w", err)
	}
	return &Factor{cfg.MinAnswer, h}, nil
}

// Kind returns "questions".
func (f *Factor) Kind() string { return "questions" }

// Traits returns those of a recovery kind of last resort, one set for a user, enrolled without
// confirmation, and expensive to verify. The settings state that the responses are facts about
// the user, and that argon2id is kept of them.
func (f *Factor) Traits() factor.Traits {
	return factor.Traits{Recovery: true, OnePerUser: true, NoConfirmation: true,
		LastResort: true, Expensive: true, Importable: true,
		Settings: factor.Settings{MinLength: f.least, SlowHash: true, PersonalFacts: true}}
}

// state is what is kept.
type state struct {
	Version   int      `json:"v"`
	Questions []string `json:"q"`
	Hash      string   `json:"h"`
}

// Enroll takes the parameters "question1" to "question3" and "answer1" to "answer3". Questions
// differ from each other, and so do answers. An answer within its own question is refused.
//
// An import takes "question1" to "question3" and "hash", as ImportParams returns them. A hash that
// is not by argon2id, or takes too long, is a *factor.Problem with the reason "questions_hash".
func (f *Factor) Enroll(ctx context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	if in.Imported {
		return takeOver(in)
	}
	s := state{Version: stateVersion}
	var answers, asked []string
	for i := range Count {
		n := strconv.Itoa(i + 1)
		q, err := question(in, n)
		if err != nil {
			return nil, err
		}
		answer, err := f.answer(in.Params["answer"+n].Reveal(), n)
		if err != nil {
			return nil, err
		}
		if utf8.RuneCountInString(strings.ReplaceAll(answer, " ", "")) < f.least {
			return nil, problem("answer_short", n,
				fmt.Sprintf("an answer has at least %d characters", f.least))
		}
		question := normalize(q)
		if strings.Contains(" "+question+" ", " "+answer+" ") {
			return nil, problem("answer_in_question", n,
				"an answer must not be in its own question")
		}
		for j := range answers {
			if asked[j] == question {
				return nil, problem("question_twice", n, "three different questions are needed")
			}
			if answers[j] == answer {
				return nil, problem("answer_twice", n, "three different answers are needed")
			}
		}
		asked, answers, s.Questions = append(asked, question), append(answers, answer),
			append(s.Questions, q)
	}
	var err error
	if s.Hash, err = f.hash.Hash(ctx, strings.Join(answers, "\n")); err != nil {
		return nil, err
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return &factor.EnrollOutput{State: data, Name: "Security questions"}, nil
}

// problem names the field: reason and number, such as "answer_short_2".
func problem(reason, n, detail string) error {
	return &factor.Problem{Reason: reason + "_" + n, Detail: detail}
}

// answer normalises one answer.
func (f *Factor) answer(typed, n string) (string, error) {
	if longer(typed, maxAnswer) || !utf8.ValidString(typed) ||
		strings.ContainsFunc(typed, unicode.IsControl) {
		return "", problem("answer_form", n, fmt.Sprintf("an answer has at most %d characters "+
			"of printable text", maxAnswer))
	}
	a := normalize(typed)
	if longer(a, maxAnswer) { // NFKC makes eighteen characters of some
		return "", problem("answer_form", n, fmt.Sprintf("an answer has at most %d characters",
			maxAnswer))
	}
	if a == "" {
		return "", problem("answer_form", n, "an answer is needed")
	}
	return a, nil
}

// longer says whether s has more than n characters. The bytes are looked at first, so that a
// long one is not read through.
func longer(s string, n int) bool { return len(s) > n*utf8.UTFMax || utf8.RuneCountInString(s) > n }

// normalize removes what users do not remember that they typed: case, the form of letters
// (Unicode NFKC), punctuation, and how many spaces there were.
func normalize(s string) string {
	s = norm.NFKC.String(strings.ToLower(cases.Fold().String(norm.NFKC.String(s))))
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsPunct(r), unicode.IsControl(r):
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsPrint(r)
	})
}

// Normalize reads the three answers, one on each line.
func (f *Factor) Normalize(response string) (string, error) {
	lines := strings.Split(strings.ReplaceAll(strings.TrimSuffix(response, "\n"), "\r\n", "\n"),
		"\n")
	if len(lines) != Count {
		return "", &factor.Problem{Reason: "answers_form",
			Detail: fmt.Sprintf("%d answers are needed, one on each line", Count)}
	}
	for i := range lines {
		a, err := f.answer(lines[i], strconv.Itoa(i+1))
		if err != nil {
			return "", err
		}
		lines[i] = a
	}
	return strings.Join(lines, "\n"), nil
}

// Describe returns the user's questions, in the order of the responses.
func (f *Factor) Describe(data []byte) factor.Description {
	s, err := parse(data)
	if err != nil {
		return factor.Description{}
	}
	return factor.Description{Questions: s.Questions}
}

// Verify accepts three correct responses, and nothing less.
func (f *Factor) Verify(ctx context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	s, err := parse(in.State)
	if err != nil {
		return nil, err
	}
	if err := f.hash.Verify(ctx, in.Response.Reveal(), s.Hash); err != nil {
		if errors.Is(err, kdf.ErrMismatch) {
			return nil, factor.ErrIncorrect
		}
		return nil, err
	}
	if !f.hash.NeedsRehash(s.Hash) {
		return &factor.Verdict{}, nil
	}
	hash, err := f.hash.Hash(ctx, in.Response.Reveal())
	if err != nil {
		return &factor.Verdict{}, nil //nolint:nilerr // the answers are correct; the next ones can be hashed anew
	}
	s.Hash = hash
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return &factor.Verdict{State: data}, nil
}

func parse(data []byte) (s state, err error) {
	if err := json.Unmarshal(data, &s); err != nil || s.Version != stateVersion ||
		len(s.Questions) != Count {
		return state{}, errors.New("questions: stored state is not readable")
	}
	return s, nil
}
