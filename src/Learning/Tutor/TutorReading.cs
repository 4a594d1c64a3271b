using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Learning.Tutor;

/// <summary>What was read of a task, and of a learner's conversation about it.</summary>
/// <param name="history">The last turn first.</param>
/// <param name="judged">Of an assignment, the last one first.</param>
internal sealed class TutorReading(IReadOnlyList<TutorRow> rows, IReadOnlyList<PastTurn> history, IReadOnlyList<PastJudgement> judged)
{
    /// <exception cref="Failure">404.</exception>
    public TutorRow Row => rows.Count > 0 ? rows[0] : throw Failure.NotFound("Task");

    /// <summary>In its order.</summary>
    public List<PastTurn> History() => [.. history.Reverse()];

    /// <summary>In their order.</summary>
    public IEnumerable<PastJudgement> Judged() => judged.Reverse();
}

/// <summary>What was judged of an assignment, or what somebody has made of it.</summary>
/// <param name="IsOfFile">It was a submission, with which everything begins anew.</param>
internal sealed record PastJudgement(string Output, bool IsOfFile);

/// <summary>A task, with the question that is asked about or its assignment; documents as they are stored.</summary>
internal sealed record TutorRow(
    int TaskId, int OrgId, Guid OrganizationId, string TaskType, string Title, string? Material, string? FirstName,
    int? QuestionId, string? QuestionType, string? InputType, string? ResponseType, int? MaxAttempts, string? QuestionBlocks,
    string? Answer, string? QuestionContext, string? CodingLanguages, string? QuestionScorecard,
    string? AssignmentBlocks, string? AssignmentContext, string? EvaluationCriteria, string? AssignmentScorecard)
{
    public static TutorRow At(NpgsqlDataReader row) => new(
        row.GetInt32(0), row.GetInt32(1), row.GetGuid(2), row.GetString(3), row.GetString(4), row.StringOrNull(5), row.StringOrNull(6),
        row.Int32OrNull(7), row.StringOrNull(8), row.StringOrNull(9), row.StringOrNull(10), row.Int32OrNull(11), row.StringOrNull(12),
        row.StringOrNull(13), row.StringOrNull(14), row.StringOrNull(15), row.StringOrNull(16),
        row.StringOrNull(17), row.StringOrNull(18), row.StringOrNull(19), row.StringOrNull(20));
}
