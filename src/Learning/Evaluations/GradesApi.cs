using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Chat;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Evaluations;

/// <summary>
/// What a person makes of a grade that a model gave. The learner sees the new grade where the old one was; who changed what, when and why
/// stays.
/// </summary>
internal static class GradesApi
{
    public static void MapGrades(this IEndpointRouteBuilder routes)
    {
        var grades = routes.MapGroup("/chat/{message_id}").WithTags("grades");
        grades.MapPut("/grade", ChangeAsync).RequireLearner().WithSummary("Change the grade in an answer of the tutor");
        grades.MapGet("/grades", ListAsync).RequireLearner().WithSummary("List the changes of a grade, oldest first");
    }

    internal static async Task<Ok<ChatMessage>> ChangeAsync(
        Access access, [FromRoute(Name = "message_id")] int messageId, Body<GradeChange> body, GradeStore grades, CancellationToken ct)
    {
        body.Value.Check();
        var (graded, by) = await StaffAsync(access, messageId, grades, ct);
        return TypedResults.Ok(await grades.ChangeAsync(graded, body.Value, by, ct));
    }

    internal static async Task<Ok<List<GradeEntry>>> ListAsync(
        Access access, [FromRoute(Name = "message_id")] int messageId, GradeStore grades, CancellationToken ct)
    {
        await StaffAsync(access, messageId, grades, ct);
        return TypedResults.Ok(await grades.ListAsync(messageId, ct));
    }

    /// <summary>Admins, and mentors of the learner; for all others there is no such message.</summary>
    private static async Task<(GradedMessage Message, int By)> StaffAsync(
        Access access, int messageId, GradeStore grades, CancellationToken ct)
    {
        var caller = await access.CallerAsync(ct);
        var graded = await grades.FindAsync(messageId, ct) ?? throw Failure.NotFound("Message");
        var standing = await access.TaskAsync(graded.TaskId, with: graded.UserId, ct);
        if (!standing.IsAdmin && !standing.IsMentor)
        {
            throw caller.UserId == graded.UserId ? Refusal.Forbidden() : Failure.NotFound("Message");
        }
        // Whoever may do everything must still be somebody to stand in the record.
        return (graded, caller.RequireUser());
    }

    /// <summary>What is given replaces what the answer says; the rest stays.</summary>
    internal sealed record GradeChange
    {
        private const int MaxReason = 2_000;
        private const int MaxFeedback = 20_000;

        public required string Reason { get; init; }

        public string? Feedback { get; init; }

        /// <summary>Of an objective question.</summary>
        public bool? IsCorrect { get; init; }

        /// <summary>New scores of criteria or key areas, by their names.</summary>
        public JsonObject? Scores { get; init; }

        /// <summary>Of an assignment as a whole.</summary>
        public double? AssignmentScore { get; init; }

        /// <exception cref="Failure">422.</exception>
        public void Check()
        {
            if (string.IsNullOrWhiteSpace(Reason) || Reason.Length > MaxReason)
            {
                throw WireErrors.Value($"1 to {MaxReason} characters", "reason");
            }
            if (Feedback?.Length > MaxFeedback)
            {
                throw WireErrors.Value($"at most {MaxFeedback} characters", "feedback");
            }
            if (Feedback is null && IsCorrect is null && Scores is null && AssignmentScore is null)
            {
                throw WireErrors.Value("nothing is to be changed");
            }
        }
    }
}

/// <param name="Before">The answer as it was stored, null where there was none.</param>
internal sealed record GradeEntry(
    int Id, int MessageId, int ChangedBy, string Email, string Reason, [property: JsonPropertyName("before")] string? Before,
    [property: JsonPropertyName("after")] string After, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset CreatedAt);

internal sealed record GradedMessage(int Id, int UserId, int TaskId, int? QuestionId, int OrgId);
