using System.Text.Json;
using System.Text.Json.Nodes;
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
        var cred = responseFormat["cred"] as JsonObject;
        switch (TypeOf(responseFormat))
        {
            case "webhook":
                webhooks.Check(TextOf(cred, "url") ?? throw Failure.Invalid("response_format.cred.url must be an address", "response_format.cred.url"));
                break;
            case "rtlayer":
                PushPublisher.CheckChannel(TextOf(cred, "channel") ?? "");
                break;
            default:
                throw Failure.Invalid("response_format.type must be default, webhook or RTLayer", "response_format.type");
        }
    }

    /// <summary>
    /// Taken for delivery when it returns: a crash afterwards loses nothing. Twice with the same <paramref name="messageId"/> is one webhook.
    /// </summary>
    /// <param name="payload"><c>{"response" | "error", "success", "variables"}</c>; a push leaves out the variables.</param>
    public Task DeliverAsync(Guid organizationId, JsonObject responseFormat, JsonObject payload, string messageId, CancellationToken ct)
    {
        var cred = responseFormat["cred"] as JsonObject;
        if (TypeOf(responseFormat) == "webhook")
        {
            return webhooks.SendAsync([WebhookOf(organizationId, cred ?? [], payload, messageId, WebhookKind)], ct);
        }
        var pushed = (JsonObject)payload.DeepClone();
        pushed.Remove("variables");
        return push.PublishAsync(
            organizationId, TextOf(cred, "channel") ?? "", pushed.Compact(), NumberOf(cred, "ttl") ?? DefaultTtl, TextOf(cred, "apikey"), ct);
    }

    /// <param name="cred"><c>{"url", "headers"}</c>; the headers are an object, or the JSON text of one.</param>
    public static NewWebhook WebhookOf(Guid organizationId, JsonObject cred, JsonObject payload, string id, string kind) => new()
    {
        OrganizationId = organizationId,
        WebhookId = id,
        Kind = kind,
        Url = TextOf(cred, "url") ?? "",
        Headers = [.. HeadersOf(cred["headers"])],
        HeaderPrefix = HeaderPrefix,
        Body = payload.Compact(),
    };

    private static IEnumerable<KeyValuePair<string, string>> HeadersOf(JsonNode? headers)
    {
        if (headers is JsonValue value && value.TryGetValue<string>(out var text))
        {
            try
            {
                headers = JsonNode.Parse(text);
            }
            catch (JsonException)
            {
                headers = null;
            }
        }
        return headers is JsonObject members
            ? members.Where(member => member.Value is JsonValue)
                .Select(member => KeyValuePair.Create(member.Key, member.Value!.GetValueKind() == JsonValueKind.String ? member.Value.GetValue<string>() : member.Value.ToJsonString()))
            : [];
    }

    private static string? TypeOf(JsonObject responseFormat) => TextOf(responseFormat, "type")?.ToLowerInvariant();

    private static string? TextOf(JsonObject? from, string name) =>
        from?[name] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;

    private static int? NumberOf(JsonObject? from, string name) =>
        from?[name] is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<int>(out var number) ? number : null;
}
