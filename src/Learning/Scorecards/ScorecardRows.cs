using Stoa.Learning.Tasks;

namespace Stoa.Learning.Scorecards;

internal sealed class ScorecardRow : ISoftDeleted
{
    public int Id { get; init; }

    public required int OrgId { get; init; }

    public required string Title { get; set; }

    /// <summary>A JSON array of criteria.</summary>
    public required string Criteria { get; set; }

    public PublishState Status { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}

internal sealed class QuestionScorecard : ISoftDeleted
{
    public int Id { get; init; }

    public required int QuestionId { get; init; }

    public required int ScorecardId { get; init; }

    public DateTimeOffset? DeletedAt { get; set; }
}
