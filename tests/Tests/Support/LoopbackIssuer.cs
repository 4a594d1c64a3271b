using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Identity.Jose;
using Stoa.Tests.Platform.Egress;

namespace Stoa.Tests.Support;

/// <summary>An issuer of ID tokens on loopback, with its key set at <c>/certs</c>; keys can be added, and it can fall ill.</summary>
internal sealed class LoopbackIssuer : IAsyncDisposable
{
    private readonly Dictionary<string, RSAParameters> keys = new(StringComparer.Ordinal);
    private LoopbackSite site = null!;

    public Uri Certificates => new(site.Url, "/certs");

    public int Hits => site.Hits;

    /// <summary>What it answers instead of its keys.</summary>
    public RequestDelegate? Illness { get; set; }

    public string? CacheControl { get; set; }

    public static async Task<LoopbackIssuer> StartAsync(params string[] keys)
    {
        var issuer = new LoopbackIssuer();
        foreach (var key in keys)
        {
            issuer.AddKey(key);
        }
        issuer.site = await LoopbackSite.StartAsync(context => issuer.Illness is { } illness
            ? illness(context) : issuer.AnswerAsync(context));
        return issuer;
    }

    public void AddKey(string id) => keys[id] = RsaKeys.Of(id);

    public void RemoveKey(string id) => keys.Remove(id);

    public string Sign(JsonObject claims, string key) => Jwt.Create(claims, SigningKey.Rsa(keys[key], key));

    /// <summary>Signed by a key of nobody, under a name that the set has.</summary>
    public static string SignByStranger(JsonObject claims, string key) =>
        Jwt.Create(claims, SigningKey.Rsa(RsaKeys.Of("a stranger's"), key));

    public ValueTask DisposeAsync() => site.DisposeAsync();

    private Task AnswerAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = CacheControl;
        var set = new JsonObject
        {
            ["keys"] = new JsonArray([.. keys.Select(key => new JsonObject
            {
                ["kty"] = "RSA",
                ["use"] = "sig",
                ["alg"] = "RS256",
                ["kid"] = key.Key,
                ["n"] = Base64Url.EncodeToString(key.Value.Modulus),
                ["e"] = Base64Url.EncodeToString(key.Value.Exponent),
            })]),
        };
        return context.Response.WriteAsync(JsonSerializer.Serialize(set));
    }
}
