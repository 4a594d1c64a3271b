using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.DataProtection;

namespace Stoa.Gateway.Secrets;

/// <summary>
/// Seals what documents hold to show to others (headers of tools and of receivers, credentials, MCP servers) for the database, each value
/// by itself: the names stay readable. A value without the mark was written before there was a seal, and is as it stands.
/// </summary>
internal sealed class DocumentSeal(IDataProtectionProvider protection)
{
    private const string Mark = "sealed:";

    private static readonly string[][] Places =
    [
        ["headers"], ["auth"], ["webhookConfiguration", "headers"],
        // Of agents and versions.
        ["configuration", "mcp_config", "servers"], ["configuration", "response_format", "cred"], ["settings", "response_format", "cred"],
    ];

    private readonly IDataProtector seal = protection.CreateProtector("stoa.gateway.documents");

    /// <param name="document">As it was given or opened; one that is sealed already would be sealed twice.</param>
    public JsonObject Sealed(JsonObject document) => Changed(document, value => Mark + seal.Protect(value.ToJsonString()));

    /// <summary>As it was given. What another installation has sealed is missing.</summary>
    public JsonObject Opened(JsonObject document) => Changed(document, Open);

    /// <summary>One value of a document as it was given.</summary>
    public JsonNode? Opened(JsonNode? part) => Changed(part, Open);

    private static JsonObject Changed(JsonObject document, Func<JsonValue, JsonNode?> change)
    {
        var copy = (JsonObject)document.DeepClone();
        foreach (var place in Places)
        {
            var holder = place[..^1].Aggregate((JsonObject?)copy, static (inner, name) => inner?[name] as JsonObject);
            if (holder?[place[^1]] is { } found)
            {
                holder[place[^1]] = Changed(found, change);
            }
        }
        return copy;
    }

    private static JsonNode? Changed(JsonNode? node, Func<JsonValue, JsonNode?> change) => node switch
    {
        JsonObject members => new JsonObject(members.Select(member => KeyValuePair.Create(member.Key, Changed(member.Value, change)))),
        JsonArray items => new JsonArray([.. items.Select(item => Changed(item, change))]),
        JsonValue value => change(value),
        _ => null,
    };

    private JsonNode? Open(JsonValue value)
    {
        if (!value.TryGetValue<string>(out var text) || !text.StartsWith(Mark, StringComparison.Ordinal))
        {
            return value.DeepClone();
        }
        try
        {
            return JsonNode.Parse(seal.Unprotect(text[Mark.Length..]));
        }
        catch (Exception foreign) when (foreign is CryptographicException or JsonException)
        {
            return null;
        }
    }
}
