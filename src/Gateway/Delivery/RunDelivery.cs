using System.Text.Json.Nodes;
using Stoa.Gateway.Runs;
using Stoa.Platform.Http;
using Stoa.Platform.Webhooks;

namespace Stoa.Gateway.Delivery;

/// <summary>Sends the answer of a run where its request says: to a webhook, or into a channel of the push service.</summary>
internal sealed class RunDelivery(WebhookOutbox webhooks, PushPublisher push)
{
    public const string WebhookKind = "gateway.answer";
    public const string HeaderPrefix = "x-gtwy";

    private const int DefaultTtl = 1;

    /// <summary>Whether it says where to deliver to; nothing is asked there.</summary>
    /// <exception cref="Failure">Invalid: no address or channel, or one that may not be asked.</exception>
    public void Check(JsonObject responseFormat)
    {
        var cred = responseFormat.Object("cred");
        switch (TypeOf(responseFormat))
        {
            case "webhook":
                webhooks.Check(cred.Name("url")
                    ?? throw Failure.Invalid("response_format.cred.url must be an address", "response_format.cred.url"));
                break;
            case "rtlayer":
                PushPublisher.CheckChannel(cred.Name("channel") ?? "");
                break;
            default:
                throw Failure.Invalid("response_format.type must be default, webhook or RTLayer", "response_format.type");
        }
    }

    /// <summary>
    /// Taken for delivery when it returns: a crash afterwards loses nothing. Twice with the same <paramref name="messageId"/> is one
    /// webhook.
    /// </summary>
    /// <param name="payload"><c>{"response" | "error", "success", "variables"}</c>; a push leaves out the variables.</param>
    public Task DeliverAsync(Guid organizationId, JsonObject responseFormat, JsonObject payload, string messageId, CancellationToken ct)
    {
        var cred = responseFormat.Object("cred");
        if (TypeOf(responseFormat) == "webhook")
        {
            return webhooks.SendAsync([WebhookOf(organizationId, cred ?? [], payload, messageId, WebhookKind)], ct);
        }
        var pushed = (JsonObject)payload.DeepClone();
        pushed.Remove("variables");
        return push.PublishAsync(
            organizationId, cred.Name("channel") ?? "", pushed.Compact(),
            (int)(cred?["ttl"].AsNumber() ?? DefaultTtl), cred.Name("apikey"), ct);
    }

    /// <param name="cred"><c>{"url", "headers"}</c>; the headers are an object, or the JSON text of one.</param>
    public static NewWebhook WebhookOf(Guid organizationId, JsonObject cred, JsonObject payload, string id, string kind) => new()
    {
        OrganizationId = organizationId,
        WebhookId = id,
        Kind = kind,
        Url = cred.Name("url") ?? "",
        Headers = [.. HeadersOf(cred["headers"])],
        HeaderPrefix = HeaderPrefix,
        Body = payload.Compact(),
    };

    private static IEnumerable<KeyValuePair<string, string>> HeadersOf(JsonNode? headers)
    {
        var read = headers.AsText() is not { } text ? headers : JsonFields.TryParse(text, out var parsed) ? parsed : null;
        return (read as JsonObject ?? []).Where(header => header.Value is JsonValue)
            .Select(header => KeyValuePair.Create(header.Key, header.Value.AsWords()));
    }

    private static string? TypeOf(JsonObject responseFormat) => responseFormat.Text("type")?.ToLowerInvariant();
}
