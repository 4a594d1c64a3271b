using System.Net.Http.Headers;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Tests.Authorization;

/// <summary>Somebody who calls: what he shows, and what he is.</summary>
/// <param name="Scheme">How he proves himself, by its name in the documents; empty when he shows nothing.</param>
/// <param name="Credential">The key or the token of his session.</param>
/// <param name="IsLive">Whether it opens anything.</param>
internal sealed record MatrixCaller(string Name, string Scheme, string Credential, bool IsLive = true)
{
    /// <summary>A person's session, shown as GTWY's clients do it.</summary>
    public const string GtwySession = "gtwy_session";

    public Guid? OrganizationId { get; init; }

    public MemberRole? Role { get; init; }

    public Guid? PersonId { get; init; }

    public Guid? KeyId { get; init; }

    public bool IsOperator => Role >= MemberRole.Admin && OrganizationId == Organization.DefaultId;

    /// <summary>His browser sends the request from a page of another site.</summary>
    public bool IsElsewhere { get; init; }

    public void Show(HttpRequestMessage request, Uri host)
    {
        if (Scheme == AccessScheme.BearerKey.Name)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Credential);
        }
        else if (Scheme == AccessScheme.HeaderKey.Name)
        {
            request.Headers.Add(AccessScheme.HeaderKey.Parameter, Credential);
        }
        else if (Scheme == AccessScheme.Session.Name)
        {
            request.Headers.Add("Cookie", $"{AccessScheme.Session.Parameter}={Credential}");
            request.Headers.Add("Origin", IsElsewhere ? "https://elsewhere.example" : host.GetLeftPart(UriPartial.Authority));
        }
        else if (Scheme == GtwySession)
        {
            request.Headers.Add("proxy_auth_token", Credential);
        }
    }

    /// <summary>What he must be answered, before it is asked which object it is about.</summary>
    public Verdict VerdictOn(Operation operation)
    {
        if (operation.Rule == AccessRule.Anyone)
        {
            return Verdict.LetIn;
        }
        if (!IsLive || Scheme.Length == 0)
        {
            return Verdict.Unknown;
        }
        // There a key may stand in the place of a signed token.
        var isGtwyKey = Scheme == AccessScheme.BearerKey.Name && operation.Schemes.Contains("gtwy_token");
        if (!operation.Schemes.Contains(Scheme) && !isGtwyKey)
        {
            return Verdict.Outside;
        }
        if (IsElsewhere && !operation.ChangesNothing)
        {
            return Verdict.Refused;
        }
        var allowed = operation.Rule switch
        {
            AccessRule.Key or AccessRule.Caller or "gtwy_caller" => true,
            // A key that is no admin's runs agents and sees them.
            "gtwy_editor" => Role >= (KeyId is null ? MemberRole.Member : MemberRole.Admin),
            "gtwy_admin" => Role >= MemberRole.Admin,
            "gtwy_operator" => IsOperator,
            "gtwy_session" => true,
            "gtwy_session_admin" => Role >= MemberRole.Admin,
            AccessRule.Person => PersonId is not null,
            AccessRule.Viewer => Role >= MemberRole.Viewer,
            AccessRule.Member => Role >= MemberRole.Member,
            AccessRule.Admin => Role >= MemberRole.Admin,
            AccessRule.Owner => Role >= MemberRole.Owner,
            AccessRule.Operator => IsOperator,
            _ => throw new InvalidOperationException($"{operation.Name} has a rule that the matrix does not know: {operation.Rule}"),
        };
        return allowed ? Verdict.LetIn : Verdict.Refused;
    }
}

internal enum Verdict
{
    LetIn,

    /// <summary>401: nobody knows him, or not by what he shows here.</summary>
    Unknown,

    /// <summary>401 or 403: what he shows is good elsewhere, here it is not taken.</summary>
    Outside,

    /// <summary>403: he is known and may not.</summary>
    Refused,

    /// <summary>404: he may, but the object is somebody else's, so for him there is none.</summary>
    NotFound,
}
