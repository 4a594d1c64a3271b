namespace Stoa.Platform.Http;

/// <summary>What went wrong, independent of any surface. Each <see cref="ErrorDialect"/> maps a kind to its own status and words.</summary>
public enum FailureKind
{
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Conflict,
    TooLarge,
    UnsupportedMedia,
    TooMany,
    /// <summary>A budget or a provider's credit is used up; waiting does not help.</summary>
    Quota,
    /// <summary>A provider is overloaded; trying again later helps.</summary>
    Overloaded,
    /// <summary>A provider answered wrongly or could not be reached.</summary>
    Upstream,
    /// <summary>A provider did not answer in time.</summary>
    Timeout,
    /// <summary>We cannot serve now: draining, full, or the database is away.</summary>
    Unavailable,
    Internal,
}

/// <summary>One wrong field: its path in the request (<c>messages[0].content</c>) and what is wrong with it.</summary>
public sealed record FieldError(string Field, string Message);

/// <summary>The one exception for anything a caller is told. Thrown at the edge of a use case, rendered by the surface's dialect.</summary>
/// <param name="code">Stable, snake_case, safe to branch on.</param>
/// <param name="message">For people; never holds a secret, a stack trace or an internal address.</param>
public sealed class Failure(FailureKind kind, string code, string message, IReadOnlyList<FieldError>? fields = null)
    : Exception(message)
{
    public FailureKind Kind => kind;

    public string Code => code;

    public IReadOnlyList<FieldError> Fields => fields ?? [];

    /// <summary>How long the caller should wait before trying again, where that is known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The credential was good once: whoever sends it has not guessed it (<see cref="Guesses"/>).</summary>
    public bool IsOutdated { get; init; }

    public static Failure Invalid(string message, string? field = null, string code = "invalid_request") =>
        new(FailureKind.Invalid, code, message, field is null ? null : [new(field, message)]);

    /// <exception cref="Failure">Invalid, with all that is wrong; nothing happens where nothing is.</exception>
    public static void ThrowIfAny(IEnumerable<FieldError> wrong)
    {
        if (wrong.ToList() is [var first, ..] all)
        {
            throw new Failure(FailureKind.Invalid, "invalid_request", first.Message, all);
        }
    }

    public static Failure NotFound(string what) => new(FailureKind.NotFound, "not_found", $"{what} not found");

    public static Failure Unauthenticated(string message) => new(FailureKind.Unauthenticated, "unauthenticated", message);

    public static Failure Forbidden(string message) => new(FailureKind.Forbidden, "forbidden", message);

    public static Failure TooMany(string message, TimeSpan retryAfter) =>
        new(FailureKind.TooMany, "rate_limit_exceeded", message) { RetryAfter = retryAfter };

    public static Failure Unavailable(string message, TimeSpan retryAfter) =>
        new(FailureKind.Unavailable, "unavailable", message) { RetryAfter = retryAfter };
}
