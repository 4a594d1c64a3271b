using System.Text;
using System.Text.Json.Nodes;
using Stoa.Gateway.Runs;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;

namespace Stoa.Gateway.RunTools;

/// <summary>Where a function is called, and how.</summary>
/// <param name="Id">For the log: the script's id, or the name of a tool that the request brought along.</param>
/// <param name="Method">A GET has its arguments in the address, everything else as JSON in the body.</param>
internal sealed record FunctionPlace(
    string Id, HttpMethod Method, string Address, IReadOnlyList<KeyValuePair<string, string>> Headers, TimeSpan Timeout);

/// <summary>Gives the headers as they are sent.</summary>
internal delegate ValueTask<IReadOnlyList<KeyValuePair<string, string>>> HeaderFilling(
    IReadOnlyList<KeyValuePair<string, string>> headers, CancellationToken ct);

/// <summary>An HTTP function: the arguments are posted as JSON, what comes back is the result.</summary>
/// <param name="fill">Puts secrets into the headers; null for a function whose author may not know them.</param>
internal sealed class FunctionTool(
    string name, string? description, JsonObject schema, FunctionPlace place, GuardedClient web, HeaderFilling? fill = null)
    : RunTool(name, description, schema)
{
    private const long MaxBytes = 1 << 20;
    private const string HitHeader = "flowHitId";

    public override async Task<ToolOutcome> CallAsync(JsonObject arguments, Run run, CancellationToken ct) =>
        await PostAsync(web, place, arguments, fill, ct);

    /// <summary>The one way in which functions are called: from a model, before a run, after it, or to try one out.</summary>
    public static async Task<ToolOutcome> PostAsync(
        GuardedClient web, FunctionPlace place, JsonObject arguments, HeaderFilling? fill, CancellationToken ct)
    {
        var metadata = new JsonObject { ["type"] = "function" };
        try
        {
            using var request = RequestOf(place, arguments);
            foreach (var (name, value) in fill is null ? place.Headers : await fill(place.Headers, ct))
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
            var answer = await web.SendAsync(request, new(MaxBytes, place.Timeout), ct);
            if (answer.Headers.TryGetValues(HitHeader, out var hits))
            {
                metadata[HitHeader] = hits.First();
            }
            metadata["http_status"] = (int)answer.Status;
            var body = JsonFields.TryParse(answer.Body.Span, out var json) ? json
                : JsonValue.Create(Encoding.UTF8.GetString(answer.Body.Span));
            return new(body, IsError: (int)answer.Status >= 300, metadata);
        }
        catch (Failure failure)
        {
            return new(failure.Message, IsError: true, metadata);
        }
        catch (UriFormatException)
        {
            return new("url not allowed", IsError: true, metadata);
        }
    }

    private static HttpRequestMessage RequestOf(FunctionPlace place, JsonObject arguments)
    {
        if (place.Method != HttpMethod.Get)
        {
            return new(place.Method, place.Address) { Content = new StringContent(arguments.Compact(), Encoding.UTF8, "application/json") };
        }
        var query = string.Join(
            '&', arguments.Select(argument => $"{Uri.EscapeDataString(argument.Key)}={Uri.EscapeDataString(argument.Value.AsWords())}"));
        return new(place.Method, query.Length == 0 ? place.Address
            : $"{place.Address}{(place.Address.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{query}");
    }
}
