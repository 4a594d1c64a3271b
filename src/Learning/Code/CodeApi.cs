using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Auth;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Code;

/// <summary>What a learner has written for a question and not sent yet: one draft for each question, his alone.</summary>
internal static class CodeApi
{
    private const int MostText = 1_000_000;

    public static void MapCode(this IEndpointRouteBuilder routes)
    {
        var code = routes.MapGroup("/code").WithTags("code").RequireLearner();
        code.MapPost("/", SaveAsync).WithSummary("Keep the draft of an answer in code");
        code.MapGet("/user/{user_id}/question/{question_id}", GetAsync).WithSummary("Read a draft; null where there is none");
        code.MapDelete("/user/{user_id}/question/{question_id}", DeleteAsync).WithSummary("Drop a draft");
    }

    internal static async Task<Ok<Success>> SaveAsync(Body<SaveDraft> body, Access access, LearningDb db, CancellationToken ct)
    {
        var draft = body.Value;
        if (draft.Code.Sum(part => (long)part.Language.Length + part.Value.Length) > MostText)
        {
            throw WireErrors.Value($"code must have at most {MostText} characters", "code");
        }
        var standing = await access.QuestionAsync(draft.QuestionId, ct);
        standing.RequireSelf(draft.UserId);
        standing.RequireMember();
        var code = JsonSerializer.Serialize(draft.Code, CodeJson.Default.IReadOnlyListLanguageCode);
        var written = await db.Database.ExecuteSqlAsync($"""
            insert into learning.code_drafts (user_id, question_id, code)
            select id, {draft.QuestionId}, {code}::jsonb from learning.users where id = {draft.UserId} and deleted_at is null
            on conflict (user_id, question_id) do update set code = excluded.code, deleted_at = null
            """, ct);
        return written == 0 ? throw Failure.NotFound("User") : TypedResults.Ok(Success.Instance);
    }

    internal static async Task<CodeDraft?> GetAsync(
        [FromRoute(Name = "user_id")] int userId, [FromRoute(Name = "question_id")] int questionId, Access access, LearningDb db,
        CancellationToken ct)
    {
        (await access.CallerAsync(ct)).RequireSelf(userId);
        return await db.CodeDrafts.AsNoTracking()
            .FirstOrDefaultAsync(row => row.UserId == userId && row.QuestionId == questionId, ct) is { } draft
            ? new(draft.Id, JsonSerializer.Deserialize(draft.Code, CodeJson.Default.IReadOnlyListLanguageCode)!)
            : null;
    }

    internal static async Task<Ok<Success>> DeleteAsync(
        [FromRoute(Name = "user_id")] int userId, [FromRoute(Name = "question_id")] int questionId, Access access, LearningDb db,
        CancellationToken ct)
    {
        (await access.CallerAsync(ct)).RequireSelf(userId);
        await db.CodeDrafts.Where(row => row.UserId == userId && row.QuestionId == questionId).ExecuteDeleteAsync(ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal sealed record SaveDraft
    {
        public required int UserId { get; init; }

        public required int QuestionId { get; init; }

        public required IReadOnlyList<LanguageCode> Code { get; init; }
    }

    internal sealed record LanguageCode
    {
        public required string Language { get; init; }

        public required string Value { get; init; }
    }

    internal sealed record CodeDraft(int Id, IReadOnlyList<LanguageCode> Code);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CodeApi.SaveDraft))]
[JsonSerializable(typeof(CodeApi.CodeDraft))]
internal sealed partial class CodeJson : JsonSerializerContext;
