using Microsoft.Extensions.Options;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>
/// With a Google account (https://developers.google.com/identity/openid-connect/openid-connect): the code is exchanged for an ID token,
/// which is read like any other.
/// </summary>
internal sealed class GoogleSignIn(IOptions<GoogleOptions> options, ProviderCalls calls, GoogleTokens tokens) : IProviderSignIn
{
    public string Provider => "google";

    public string DisplayName => "Google";

    public bool IsConfigured => tokens.IsConfigured && !string.IsNullOrWhiteSpace(options.Value.ClientSecret);

    public bool SignUp => options.Value.SignUp;

    public string AuthorizeAddress(Uri callback, string state, string challenge) => ProviderCalls.Address(options.Value.AuthorizeUrl,
        ("response_type", "code"), ("client_id", options.Value.ClientId!),
        ("scope", "openid email profile"), ("redirect_uri", callback.AbsoluteUri),
        ("state", state), ("code_challenge", challenge), ("code_challenge_method", "S256"));

    public async Task<ProviderIdentity> ExchangeAsync(string code, string verifier, Uri callback, CancellationToken ct)
    {
        var google = options.Value;
        var answer = await calls.ExchangeAsync(this, google.TokenUrl, code, verifier, callback, google.ClientId!, google.ClientSecret!, ct);
        if (answer?.IdToken is not { Length: > 0 } token)
        {
            throw ProviderCalls.Refused(this);
        }
        try
        {
            var person = await tokens.VerifyAsync(token, ct);
            var name = $"{person.GivenName} {person.FamilyName}".Trim();
            return new(Provider, person.Subject, person.Email, IsEmailVerified: true, name);
        }
        catch (Failure failure) when (failure.Kind == FailureKind.Unauthenticated)
        {
            throw ProviderCalls.Refused(this);
        }
    }
}
