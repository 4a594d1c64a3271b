using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Stoa.Tests.Support;

/// <summary>Plain HTTP calls in either dialect, for tests that count rather than parse.</summary>
internal static class GatewayCalls
{
    internal static async Task<ScriptedUsage> ChatAsync(HttpClient client, string model, string question, bool streams)
    {
        var body = new JsonObject { ["model"] = model, ["messages"] = Messages(question) };
        if (streams)
        {
            body["stream"] = true;
            body["stream_options"] = new JsonObject { ["include_usage"] = true };
        }
        var usage = (await AnswerAsync(client, "/v1/chat/completions", body, streams))
            .Select(part => part["usage"]).Last(usage => usage is not null)!;
        return new(
            (long)usage["prompt_tokens"]!,
            (long)usage["completion_tokens"]!,
            (long?)usage["prompt_tokens_details"]?["cached_tokens"] ?? 0);
    }

    internal static async Task<ScriptedUsage> MessageAsync(HttpClient client, string model, string question, bool streams)
    {
        var body = new JsonObject { ["model"] = model, ["max_tokens"] = 1024, ["stream"] = streams, ["messages"] = Messages(question) };
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var part in await AnswerAsync(client, "/v1/messages", body, streams))
        {
            // A stream reports at its start and corrects itself at its end.
            foreach (var (name, value) in (part["usage"] ?? part["message"]?["usage"]) as JsonObject ?? [])
            {
                if (value is JsonValue number && number.TryGetValue<long>(out var count))
                {
                    counts[name] = count;
                }
            }
        }
        var cached = counts.GetValueOrDefault("cache_read_input_tokens");
        return new(
            counts["input_tokens"] + cached + counts.GetValueOrDefault("cache_creation_input_tokens"), counts["output_tokens"], cached);
    }

    private static async Task<IReadOnlyList<JsonNode>> AnswerAsync(HttpClient client, string path, JsonObject body, bool streams)
    {
        using var answer = await client.PostAsJsonAsync(new Uri(path, UriKind.Relative), body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return streams
            ? [.. text.Split('\n').Where(line => line.StartsWith("data: {", StringComparison.Ordinal))
                .Select(line => JsonNode.Parse(line[6..])!)]
            : [JsonNode.Parse(text)!];
    }

    private static JsonArray Messages(string question) => new(new JsonObject { ["role"] = "user", ["content"] = question });
}
