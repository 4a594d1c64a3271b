using System.Text.Encodings.Web;
using System.Text.Json;

namespace Stoa.Gateway.Pages;

internal sealed record ClientSample(string Client, string Text);

/// <summary>A first request for each client, ready to be copied.</summary>
internal static class ClientSamples
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="token">Null: the samples read the key from <c>STOA_API_KEY</c>.</param>
    public static IReadOnlyList<ClientSample> For(string baseUrl, string? token, string openAiModel, string anthropicModel)
    {
        // A JSON string is a string in JavaScript, Python and C# as well.
        var (url, root, openAi, anthropic) = (Quote($"{baseUrl}/v1"), Quote(baseUrl), Quote(openAiModel), Quote(anthropicModel));
        var python = token is null ? "os.environ[\"STOA_API_KEY\"]" : Quote(token);
        var script = token is null ? "process.env.STOA_API_KEY" : Quote(token);
        var import = token is null ? "import os\n" : "";
        return
        [
            new("curl", $$"""
                curl {{baseUrl}}/v1/chat/completions \
                  -H "Authorization: Bearer {{token ?? "$STOA_API_KEY"}}" \
                  -H "Content-Type: application/json" \
                  -d '{"model": {{InShell(openAi)}}, "messages": [{"role": "user", "content": "Hello"}]}'
                """),
            new("OpenAI · Python", $$"""
                # pip install openai
                {{import}}from openai import OpenAI

                client = OpenAI(base_url={{url}}, api_key={{python}})
                answer = client.chat.completions.create(
                    model={{openAi}},
                    messages=[{"role": "user", "content": "Hello"}],
                )
                print(answer.choices[0].message.content)
                """),
            new("OpenAI · JavaScript", $$"""
                // npm install openai
                import OpenAI from "openai";

                const client = new OpenAI({ baseURL: {{url}}, apiKey: {{script}} });
                const answer = await client.chat.completions.create({
                  model: {{openAi}},
                  messages: [{ role: "user", content: "Hello" }],
                });
                console.log(answer.choices[0].message.content);
                """),
            new("Anthropic · Python", $$"""
                # pip install anthropic
                {{import}}from anthropic import Anthropic

                client = Anthropic(base_url={{root}}, api_key={{python}})
                answer = client.messages.create(
                    model={{anthropic}},
                    max_tokens=1024,
                    messages=[{"role": "user", "content": "Hello"}],
                )
                print(answer.content[0].text)
                """),
            new("Anthropic · JavaScript", $$"""
                // npm install @anthropic-ai/sdk
                import Anthropic from "@anthropic-ai/sdk";

                const client = new Anthropic({ baseURL: {{root}}, apiKey: {{script}} });
                const answer = await client.messages.create({
                  model: {{anthropic}},
                  max_tokens: 1024,
                  messages: [{ role: "user", content: "Hello" }],
                });
                console.log(answer.content[0].text);
                """),
            new("C#", $$"""
                // dotnet add package OpenAI
                using System.ClientModel;
                using OpenAI;
                using OpenAI.Chat;

                var client = new ChatClient(
                    {{openAi}},
                    new ApiKeyCredential({{(token is null ? "Environment.GetEnvironmentVariable(\"STOA_API_KEY\")!" : Quote(token))}}),
                    new OpenAIClientOptions { Endpoint = new Uri({{url}}) });
                ChatCompletion answer = await client.CompleteChatAsync("Hello");
                Console.WriteLine(answer.Content[0].Text);
                """),
        ];
    }

    private static string Quote(string text) => JsonSerializer.Serialize(text, Plain);

    /// <summary>Inside single quotes a shell takes everything as it stands, but for the single quote.</summary>
    private static string InShell(string text) => text.Replace("'", @"'\''", StringComparison.Ordinal);
}
