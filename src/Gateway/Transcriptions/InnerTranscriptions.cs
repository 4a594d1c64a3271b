using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Transcriptions;

/// <summary>Has recordings written down for other modules, by OpenAI's endpoint for it.</summary>
internal sealed class InnerTranscriptions(
    ModuleCalls calls, CallMeter meter, ProviderCatalog catalog, IOptions<GatewayOptions> options, TimeProvider time) : ITranscriptions
{
    private const string Path = "/audio/transcriptions";

    /// <summary>What public providers call theirs, for where the settings list no model of them.</summary>
    private static readonly Dictionary<string, string> Own = new(StringComparer.Ordinal) { ["openai"] = "whisper-1", ["demo"] = "demo" };

    private static readonly string[] Names = ["whisper", "transcribe"];

    public string? Pick(Guid organizationId, string? wanted)
    {
        if (wanted is not null && calls.Knows(organizationId, wanted))
        {
            return wanted;
        }
        return catalog.Models.FirstOrDefault(
            model => Array.Exists(Names, name => model.ListedName.Contains(name, StringComparison.OrdinalIgnoreCase)))?.ListedName
            ?? catalog.Providers
                .Where(provider => Own.TryGetValue(provider.Kind.Name, out var model) && provider.Serves(model))
                .Select(provider => $"{provider.Name}/{Own[provider.Kind.Name]}").FirstOrDefault();
    }

    public Task<string> WriteDownAsync(Recording recording, CancellationToken ct)
    {
        var wanted = new ModuleCall(
            recording.OrganizationId, recording.Model, recording.Purpose,
            "transcription", recording.RequestId, IsStream: false, Input: 0, Output: 0);
        return calls.RunAsync(wanted, call => AskAsync(call, recording, ct), ct);
    }

    private async Task<string> AskAsync(GatewayCall call, Recording recording, CancellationToken ct)
    {
        var said = call.Target.Provider switch
        {
            { Client: null } =>
                $"This was written down by the offline demo provider, which hears nothing: {recording.Content.Length} bytes.",
            { Client: { } client, Kind.Dialect: Dialect.OpenAi } => await AskAsync(call, client, recording, ct),
            var other => throw new Failure(
                FailureKind.NotFound, "unsupported_endpoint",
                $"The provider {other.Name} does not write down what is said", [new("model", "not supported")]),
        };
        call.FirstByte = time.GetTimestamp();
        call.Usage ??= new(0, 0);
        meter.Succeeded(call);
        return said.Trim();
    }

    private async Task<string> AskAsync(GatewayCall call, ProviderClient client, Recording recording, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(options.Value.Timeouts.TotalMs), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        using var form = FormOf(recording, call.Target.Model);
        var upstream = call.RequestTo(
            client.UriOf(Path), await form.ReadAsByteArrayAsync(either.Token), isStream: false, form.Headers.ContentType!.ToString());
        try
        {
            using var exchange = await client.SendAsync(upstream, either.Token);
            using var answer = await exchange.ReadAllAsync();
            call.Usage = OpenAiRaw.Instance.ReadUsage(answer.Span);
            return TextOf(answer.Memory);
        }
        finally
        {
            call.Attempts = upstream.Attempts;
        }
    }

    private static MultipartFormDataContent FormOf(Recording recording, string model)
    {
        var file = new ByteArrayContent(recording.Content);
        file.Headers.ContentType = MediaTypeHeaderValue.TryParse(recording.ContentType, out var type)
            ? type : new("application/octet-stream");
        return new()
        {
            { new ByteArrayContent(Encoding.UTF8.GetBytes(model)), "\"model\"" },
            { new ByteArrayContent("json"u8.ToArray()), "\"response_format\"" },
            { file, "\"file\"",
                $"\"{string.Concat(recording.FileName.Where(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_'))}\"" },
        };
    }

    private static string TextOf(ReadOnlyMemory<byte> answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            if (document.RootElement is { ValueKind: JsonValueKind.Object } whole && whole.TryGetProperty("text", out var text)
                && text.ValueKind == JsonValueKind.String)
            {
                return text.GetString()!;
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // Said below.
        }
        throw new Failure(FailureKind.Upstream, "upstream_invalid_response", "The provider's answer holds no text");
    }
}
