using System.Text.Json.Serialization;

namespace Stoa.Platform.Identity;

[JsonConverter(typeof(SnakeCaseEnum<PersonState>))]
public enum PersonState
{
    Active,

    /// <summary>May not sign in, until an operator says otherwise.</summary>
    Suspended,

    /// <summary>What is left of somebody who was erased: an id that others' rows may still name.</summary>
    Erased,
}

/// <summary>Somebody who can sign in, in whatever way and to however many organizations.</summary>
public sealed class Person
{
    public Guid Id { get; init; }

    /// <summary>As it was given. Null for somebody whose provider tells none, and once he is erased.</summary>
    public string? Email { get; set; }

    /// <summary>As it is compared (<see cref="EmailAddress.KeyOf"/>).</summary>
    public string? EmailKey { get; set; }

    /// <summary>When somebody we trust said that the address is his: a provider, or the first run. An invitation does not.</summary>
    public DateTimeOffset? EmailVerifiedAt { get; set; }

    public required string Name { get; set; }

    /// <summary>BCP 47: <c>en</c>, <c>de-CH</c>.</summary>
    public string Locale { get; set; } = "en";

    /// <summary>IANA: <c>Europe/Berlin</c>.</summary>
    public string TimeZone { get; set; } = "UTC";

    public PersonState State { get; set; }

    /// <summary>In the words of <see cref="PasswordHasher"/>; null for somebody who has no password here.</summary>
    public string? PasswordHash { get; set; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? LastSignInAt { get; set; }

    /// <summary>When he will be erased, after he asked for it.</summary>
    public DateTimeOffset? EraseAt { get; set; }

    public DateTimeOffset? ErasedAt { get; set; }
}

/// <summary>Who a person is at a provider (<c>google</c>, <c>discord</c>). The subject is the provider's id of him.</summary>
public sealed class ExternalAccount
{
    public required string Provider { get; init; }

    public required string Subject { get; init; }

    public Guid PersonId { get; init; }

    public string? Email { get; init; }

    public DateTimeOffset LinkedAt { get; init; }
}
