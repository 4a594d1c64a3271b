namespace Stoa.Feedback.Users;

/// <summary>A person of one API client; a person who comes through two is two users.</summary>
internal sealed record FeedbackUser
{
    public required Guid Id { get; init; }
    public required string Username { get; set; }
    public required string AuthMethod { get; set; }
    public required string DisplayName { get; set; }
    public DateTimeOffset CreatedDate { get; init; }
    public required Guid ApiClientId { get; init; }
    public bool Enabled { get; set; } = true;
    public string Notes { get; set; } = "";
    public bool Deleted { get; set; }
    public bool ShowOnLeaderboard { get; set; } = true;
    public DateTimeOffset? StreakLastDayDate { get; set; }
    public int? StreakDays { get; set; }
    public DateTimeOffset? LastActivityDate { get; set; }
    public DateTimeOffset? TosAcceptanceDate { get; set; }
}
