package hooks

import (
	"io"
	texttemplate "text/template"
)

// demoText is what a demo says when it is ready.
type demoText struct {
	URL, Key string
	People   demoPeople
	Kept     string // the folder that stays, or empty
}

// The models of the printed lines, which the price book has from the start.
const (
	demoOpenAIModel    = "gpt-4o-mini"
	demoAnthropicModel = "claude-sonnet-5"
)

var demoTemplate = texttemplate.Must(texttemplate.New("demo").Parse(`
This is a DEMO: its models are fake, and it is not for real use.

  server      {{.URL}}
  API key     {{.Key}}
  user        {{.People.UserEmail}}  {{.People.UserPassword}}
  dashboard   {{.URL}}/_/  {{.People.SuperuserEmail}}  {{.People.SuperuserPassword}}

curl:

  curl {{.URL}}/v1/chat/completions -H 'Authorization: Bearer {{.Key}}' \
    -H 'Content-Type: application/json' \
    -d '{"model":"{{.OpenAIModel}}","messages":[{"role":"user","content":"hello"}]}'

JavaScript, with npm install openai:

  import OpenAI from 'openai';
  const openai = new OpenAI({ baseURL: '{{.URL}}/v1', apiKey: '{{.Key}}' });
  const answer = await openai.chat.completions.create({
    model: '{{.OpenAIModel}}', messages: [{ role: 'user', content: 'hello' }] });
  console.log(answer.choices[0].message.content);

or with npm install @anthropic-ai/sdk:

  import Anthropic from '@anthropic-ai/sdk';
  const anthropic = new Anthropic({ baseURL: '{{.URL}}', apiKey: '{{.Key}}' });
  const message = await anthropic.messages.create({
    model: '{{.AnthropicModel}}', max_tokens: 100, messages: [{ role: 'user', content: 'hello' }] });
  console.log(message.content[0].text);

What it cost:

  curl {{.URL}}/api/wallet/status -H 'Authorization: Bearer {{.Key}}'

{{if .Kept}}The data stays in {{.Kept}}.{{else}}The data is deleted at the end.{{end}} Ctrl-C ends the demo.
`))

func printDemo(out io.Writer, text demoText) error { return demoTemplate.Execute(out, text) }

// OpenAIModel is named in the lines for OpenAI's clients.
func (demoText) OpenAIModel() string { return demoOpenAIModel }

// AnthropicModel is named in the lines for Anthropic's clients.
func (demoText) AnthropicModel() string { return demoAnthropicModel }
