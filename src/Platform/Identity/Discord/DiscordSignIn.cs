using System.Net.Http.Headers;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Identity;

/// <summary>With a Discord account. Its id never changes; the names are what Discord shows. An address is not asked for.</summary>
internal sealed class DiscordSignIn(IOptions<DiscordOptions> options, ProviderCalls calls) : IProviderSignIn
{
    public string Provider => "discord";

    public string DisplayName => "Discord";

    public bool IsConfigured => options.Value.IsConfigured;

    public bool SignUp => options.Value.SignUp;

    public string AuthorizeAddress(Uri callback, string state, string challenge) => ProviderCalls.Address(options.Value.AuthorizeUrl,
        ("response_type", "code"), ("client_id", options.Value.ClientId!), ("scope", "identify"), ("redirect_uri", callback.AbsoluteUri),
        ("state", state), ("code_challenge", challenge), ("code_challenge_method", "S256"));

    public async Task<ProviderIdentity> ExchangeAsync(string code, string verifier, Uri callback, CancellationToken ct)
    {
        var discord = options.Value;
        var token = await calls.ExchangeAsync(
            this, discord.TokenUrl, code, verifier, callback, discord.ClientId!, discord.ClientSecret!, ct);
        if (token?.AccessToken is not { Length: > 0 } access)
        {
            throw ProviderCalls.Refused(this);
        }
        using var who = new HttpRequestMessage(HttpMethod.Get, discord.UserUrl)
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", access) },
        };
        var user = await calls.AskAsync(this, who, ProviderJson.Default.UserAnswer, ct);
        return user?.Id is { Length: > 0 and <= 32 } id && id.All(char.IsAsciiDigit)
            ? new(Provider, id, Email: null, IsEmailVerified: false, user.GlobalName ?? user.Username ?? id)
            : throw ProviderCalls.Refused(this);
    }

    internal sealed record UserAnswer(string? Id, string? Username, string? GlobalName);
}
