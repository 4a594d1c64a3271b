using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Bytes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects;

/// <summary>What was said in a recording.</summary>
internal sealed record Heard(string Id, string Text);

/// <summary>Speech on Deepgram's wire: <c>POST /v1/listen</c> with an address or the recording itself. Bytes in, records out.</summary>
internal static class Transcript
{
    /// <param name="parameters">Flags and words that go into the query.</param>
    public static string PathOf(string model, JsonObject parameters) =>
        $"/v1/listen?model={Uri.EscapeDataString(model)}"
            + string.Concat(parameters.Select(one => $"&{Uri.EscapeDataString(one.Key)}={Uri.EscapeDataString(WordOf(one.Value))}"));

    /// <returns>The type of the body.</returns>
    /// <exception cref="Failure">Invalid: there is not one recording, or it is none.</exception>
    public static string Write(IReadOnlyList<string> recordings, IBufferWriter<byte> output)
    {
        if (recordings is not [var recording])
        {
            throw Failure.Invalid("This model takes exactly one entry of the type audio in user_urls", "user_urls", "invalid_value");
        }
        var place = new Node(JsonSerializer.SerializeToElement(recording, GatewayJson.Default.String), name: "user_urls");
        if (recording.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            var bytes = MediaReading.FromDataUri(place, recording);
            if (!bytes.MimeType.StartsWith("audio/", StringComparison.Ordinal) || bytes.MimeType.Any(letter => letter is <= ' ' or > '~'))
            {
                throw place.Wrong($"is '{bytes.MimeType}', not a sound");
            }
            output.Write(Convert.FromBase64String(bytes.Base64));
            return bytes.MimeType;
        }
        MediaReading.FromAddress(place);
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteString("url", recording);
        json.WriteEndObject();
        JsonOutput.Close(json);
        return "application/json";
    }

    /// <exception cref="Failure">Upstream: it cannot be read.</exception>
    public static Heard Read(ReadOnlyMemory<byte> body)
    {
        using var document = JsonBody.OpenAnswer(body);
        var results = document.RootElement.Member("results");
        var said = results.ItemsOf("channels").SelectMany(channel => channel.ItemsOf("alternatives"))
            .Select(one => one.TextOf("transcript")).FirstOrDefault()
            ?? throw ProviderRefusals.Unreadable("it has no transcript");
        return new(document.RootElement.Member("metadata").TextOf("request_id") ?? "", said);
    }

    private static string WordOf(JsonNode? value) =>
        value is JsonValue one && one.TryGetValue<string>(out var text) ? text : value?.ToJsonString() ?? "";
}
