using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Tasks;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Tutor;

/// <summary>Answers to learners, as streams of lines (<see cref="AnswerLines"/>).</summary>
internal static class TutorApi
{
    private const string Lines = "application/x-ndjson";

    public static void MapTutor(this IEndpointRouteBuilder routes)
    {
        var ai = routes.MapGroup("/ai").WithTags("ai");
        ai.MapPost("/chat", ChatAsync).RequireLearner().Produces<string>(contentType: Lines)
            .WithSummary("Judge an answer to a question, or answer a question about a material");
        ai.MapPost("/assignment", AssignmentAsync).RequireLearner().Produces<string>(contentType: Lines)
            .WithSummary("Evaluate an assignment, and talk about it");
    }

    internal static async Task ChatAsync(
        HttpContext context, Access access, Body<AiChatRequest> body, RoundTrip trip, TaskVisibility visibility, TutorAsks asks,
        TutorAnswers tutor, CancellationToken ct)
    {
        var request = body.Value;
        var (isAuthor, about) = await ReadAsync(access, request, trip, visibility, ct);
        var ask = await asks.OfChatAsync(request, about, isAuthor, ct);
        await tutor.AnswerAsync(context, request.UserId, ask.IsPreview ? null : request.QuestionId, ask, ct);
    }

    internal static async Task AssignmentAsync(
        HttpContext context, Access access, Body<AiChatRequest> body, RoundTrip trip, TaskVisibility visibility, TutorAsks asks,
        TutorAnswers tutor, CancellationToken ct)
    {
        var request = body.Value;
        if (request.TaskType != TaskType.Assignment)
        {
            throw Refusal.BadRequest("Task is not an assignment");
        }
        var (isAuthor, about) = await ReadAsync(access, request, trip, visibility, ct);
        var ask = await asks.OfAssignmentAsync(request, about, isAuthor, ct);
        await tutor.AnswerAsync(context, request.UserId, questionId: null, ask, ct);
    }

    /// <summary>
    /// Who asks must be who he says, and may see the task now; who may see it at any time is its author. What the tutor must know is read
    /// in the same round trip.
    /// </summary>
    private static async Task<(bool IsAuthor, TutorReading About)> ReadAsync(
        Access access, AiChatRequest request, RoundTrip trip, TaskVisibility visibility, CancellationToken ct)
    {
        var known = access.TaskWith(trip, request.TaskId);
        var isVisible = visibility.IsVisibleWith(trip, request.UserId, request.TaskId);
        var about = TutorStore.ReadWith(trip, request);
        await trip.GoAsync(ct);
        var standing = known();
        standing.RequireSelf(request.UserId);
        TaskVisibility.Require(standing, isVisible);
        return (standing.IsAdmin, about);
    }
}
