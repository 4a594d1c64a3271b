using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.DataProtection;

namespace Stoa.Gateway.Secrets;

/// <summary>
/// Seals what documents hold to show to others (headers of tools and of receivers, credentials) for the database, each value by itself: the
/// names stay readable. A value without the mark was written before there was a seal, and is as it stands.
/// </summary>
internal sealed class DocumentSeal(IDataProtectionProvider protection)
{
    private const string Mark = "sealed:";

    private static readonly string[][] Places = [["headers"], ["auth"], ["webhookConfiguration", "headers"]];

    private readonly IDataProtector seal = protection.CreateProtector("stoa.gateway.documents");

    /// <param name="document">As it was given or opened; one that is sealed already would be sealed twice.</param>
    public JsonObject Sealed(JsonObject document) => Changed(document, value => Mark + seal.Protect(value.ToJsonString()));

    /// <summary>As it was given. What another installation has sealed is missing.</summary>
    public JsonObject Opened(JsonObject document) => Changed(document, Open);

    private static JsonObject Changed(JsonObject document, Func<JsonValue, JsonNode?> change)
    {
        var copy = (JsonObject)document.DeepClone();
        foreach (var place in Places)
        {
            JsonObject? holder = copy;
            foreach (var name in place[..^1])
            {
                holder = holder?[name] as JsonObject;
            }
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
