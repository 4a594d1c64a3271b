namespace Stoa.Platform.Identity;

/// <summary>
/// A provider where people prove who they are: its side of the authorization code flow (RFC 6749, section 4.1, with the proof key of
/// RFC 7636).
/// </summary>
internal interface IProviderSignIn
{
    /// <summary>In addresses, in the table of accounts and in the audit: <c>discord</c>.</summary>
    string Provider { get; }

    /// <summary>As people call it.</summary>
    string DisplayName { get; }

    bool IsConfigured { get; }

    /// <summary>Whether an account that is linked to nobody makes a new person.</summary>
    bool SignUp { get; }

    /// <summary>Where the browser is sent.</summary>
    /// <param name="challenge">The SHA-256 of the verifier that the code will be exchanged with.</param>
    string AuthorizeAddress(Uri callback, string state, string challenge);

    /// <summary>Whose account the code stands for.</summary>
    /// <exception cref="Http.Failure">Unauthenticated: the provider does not know the code. Upstream and its like: it does not
    /// answer.</exception>
    Task<ProviderIdentity> ExchangeAsync(string code, string verifier, Uri callback, CancellationToken ct);
}
