using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Learning.Auth;

internal enum LearningProof
{
    /// <summary>The front end's session cookie.</summary>
    Session,

    /// <summary>A bearer token of our own.</summary>
    Token,

    /// <summary>Google's ID token as a bearer token: it knows an address, and no id of ours.</summary>
    Google,

    /// <summary>The front end's server, on the internal listener. It may read what is published, and sign people in.</summary>
    Service,

    /// <summary>Nothing is proven: the mode is Open.</summary>
    None,
}

/// <summary>Who calls SensAI's surface. The module looks the person up: the id must exist and the address must be his.</summary>
/// <param name="UserId">Null for Google's token, the service, and in the mode Open.</param>
/// <param name="Email">In lower case.</param>
internal sealed record LearningCaller(int? UserId, string? Email, LearningProof Proof)
{
    public static readonly LearningCaller Service = new(UserId: null, Email: null, LearningProof.Service);
    public static readonly LearningCaller Unproven = new(UserId: null, Email: null, LearningProof.None);

    public static ValueTask<LearningCaller?> BindAsync(HttpContext context) => context.SurfaceCaller<LearningCaller>();

    /// <summary>From <c>userId</c> and <c>email</c>; null when either is missing.</summary>
    public static LearningCaller? Of(TokenClaims claims, LearningProof proof) =>
        claims.All.TryGetProperty("userId", out var id) && NumberOf(id) is { } userId && claims.Text("email") is { Length: > 0 } email
            ? new(userId, email.ToLowerInvariant(), proof)
            : null;

    // The front end writes what the sign-in answered: a number, or the text that it became on the way.
    private static int? NumberOf(JsonElement id) => id.ValueKind switch
    {
        JsonValueKind.Number when id.TryGetInt32(out var number) && number > 0 => number,
        JsonValueKind.String when int.TryParse(id.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number > 0 => number,
        _ => null,
    };
}
