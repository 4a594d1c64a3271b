namespace Stoa.Learning.Users;

/// <summary>Somebody who learns or teaches: known by his address, linked to the platform's person once he has signed in.</summary>
internal sealed class UserRow : ISoftDeleted
{
    public int Id { get; init; }

    /// <summary>In lower case.</summary>
    public required string Email { get; init; }

    public string? FirstName { get; set; }

    public string? MiddleName { get; set; }

    public string? LastName { get; set; }

    /// <summary><c>#rrggbb</c>.</summary>
    public string? DefaultDpColor { get; set; }

    public Guid? PersonId { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? DeletedAt { get; set; }
}
