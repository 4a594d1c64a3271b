namespace Stoa.Learning.Code;

/// <summary>What a learner has written for a question and not sent yet.</summary>
internal sealed class CodeDraftRow : ISoftDeleted
{
    public int Id { get; init; }

    public required int UserId { get; init; }

    public required int QuestionId { get; init; }

    /// <summary>A JSON array of <c>{language, value}</c>.</summary>
    public required string Code { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}
