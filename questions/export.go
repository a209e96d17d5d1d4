package questions

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/secondgate/secondgate/internal/kdf"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// ImportParams returns the parameters with which Enroll imports the questions: "question1" to
// "question3" and "hash".
func (f *Factor) ImportParams(data []byte) (map[string]secret.Text, error) {
	s, err := parse(data)
	if err != nil {
		return nil, err
	}
	params := map[string]secret.Text{"hash": secret.New(s.Hash)}
	for i, question := range s.Questions {
		params["question"+strconv.Itoa(i+1)] = secret.New(question)
	}
	return params, nil
}

// takeOver prepares the questions of another installation. Only argon2id keeps what others can
// guess.
func takeOver(in factor.EnrollInput) (*factor.EnrollOutput, error) {
	s := state{Version: stateVersion, Hash: in.Params["hash"].Reveal()}
	h, err := kdf.ParseForeign(s.Hash)
	if err != nil || !strings.HasPrefix(s.Hash, "$argon2id$") || h.Cost() > maxImportedCost {
		return nil, &factor.Problem{Reason: "questions_hash",
			Detail: "not a hash by argon2id, or one that takes too long"}
	}
	for i := range Count {
		n := strconv.Itoa(i + 1)
		q, err := question(in, n)
		if err != nil {
			return nil, err
		}
		s.Questions = append(s.Questions, q)
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return &factor.EnrollOutput{State: data, Name: "Security questions"}, nil
}

// question returns one question as it is kept.
func question(in factor.EnrollInput, n string) (string, error) {
	q := strings.Join(strings.Fields(in.Params["question"+n].Reveal()), " ")
	if len(q) < minQuestion || longer(q, maxQuestion) || !printable(q) {
		return "", problem("question_form", n, questionForm)
	}
	return q, nil
}
