using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Stoa.Gateway;
using Stoa.Learning.Tutor;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;

namespace Stoa.Learning.Generation;

/// <param name="Uuid">Of the task's generation.</param>
internal sealed record GenerateTask(Guid Uuid)
{
    public const string Kind = "learning.generate_task";
}

/// <summary>
/// Has the contents of one task written and saved. One that fails for good counts as finished, so that nobody waits for it.
/// </summary>
internal sealed partial class GenerateTaskHandler(
    LearningDb db, TaskContents contents, ReferenceMaterial references, IModels models, ModelPlans plans, TutorPrompts prompts,
    ILogger<GenerateTaskHandler> logger) : IJobHandler<GenerateTask>
{
    public static readonly JobRules Rules = new() { MaxAttempts = 4, FirstWait = TimeSpan.FromSeconds(10), MaxRunningPerKey = 25 };

    public async Task RunAsync(GenerateTask job, JobContext context, CancellationToken ct)
    {
        var generation = await db.TaskGenerationJobs.AsNoTracking().FirstOrDefaultAsync(row => row.Uuid == job.Uuid, ct);
        if (generation is not { Status: TaskGenerationStatus.Started })
        {
            return;
        }
        try
        {
            await MakeAsync(generation, context, ct);
        }
        catch (Exception thrown) when (GenerationFailure.IsFinal(thrown, context, ct))
        {
            LogFailed(thrown is Failure ? null : thrown, generation.TaskId, GenerationFailure.CodeOf(thrown));
            await contents.FailAsync(generation, GenerationFailure.CodeOf(thrown), context, ct);
        }
    }

    private async Task MakeAsync(TaskGenerationJob generation, JobContext context, CancellationToken ct)
    {
        var owner = (await db.Database.SqlQuery<TaskOwner>($"""
            select t.org_id, o.organization_id, t.title, t.type from learning.tasks t join learning.organizations o on o.id = t.org_id
            where t.id = {generation.TaskId} and t.deleted_at is null
            """).ToListAsync(ct)).FirstOrDefault() ?? throw new Failure(FailureKind.NotFound, "task_deleted", "The task was deleted");
        var isQuiz = owner.Type == "quiz";
        var reply = await models.AskAsync(await QuestionAsync(generation, owner, isQuiz, ct), onText: null, ct);
        var made = Parse(reply);
        if (isQuiz)
        {
            await contents.SaveQuizAsync(generation, GeneratedContents.QuestionsOf(made), context, ct);
        }
        else
        {
            await contents.SaveMaterialAsync(generation, GeneratedContents.BlocksOf(made["blocks"]), context, ct);
        }
    }

    private async Task<ModelQuestion> QuestionAsync(TaskGenerationJob generation, TaskOwner owner, bool isQuiz, CancellationToken ct)
    {
        var details = JsonNode.Parse(generation.JobDetails)!;
        var organization = owner.OrganizationId ?? Organization.DefaultId;
        var model = plans.Find(ModelPlan.Text, organization);
        var outline = $"""
            ## Concept
            {(string?)details["concept"]?["name"]}
            {(string?)details["concept"]?["description"]}

            ## {(isQuiz ? "Quiz" : "Material")} to write
            {owner.Title}
            {(string?)details["task"]?["description"]}
            """;
        return new(organization, model, GenerateStructureHandler.Purpose, generation.Uuid.ToString())
        {
            Instructions = prompts.Find(isQuiz ? "generate-quiz" : "generate-material", owner.OrgId).Text,
            Turns =
            [
                new(ModelSpeaker.Person,
                    ModelPart.Pdf(await references.ReadAsync((string?)details["reference_material_s3_key"] ?? "", ct), "reference.pdf")),
                TutorTurns.Asked(outline),
            ],
            Schema = isQuiz ? new("quiz", GeneratedContents.QuizSchema) : new("learning_material", GeneratedContents.MaterialSchema),
            MaxOutput = GenerateStructureHandler.MaxOutput,
            Temperature = 0,
        };
    }

    private static JsonObject Parse(ModelReply reply)
    {
        try
        {
            return !reply.IsCut && JsonNode.Parse(reply.Text) is JsonObject made ? made : throw NotWhole();
        }
        catch (JsonException)
        {
            throw NotWhole();
        }
    }

    private static Failure NotWhole() => new(FailureKind.Upstream, "upstream_invalid_response", "The model's contents are not whole");

    [LoggerMessage(LogLevel.Warning, "The contents of task {Task} could not be made: {Code}")]
    private partial void LogFailed(Exception? thrown, int task, string code);

    private sealed record TaskOwner(int OrgId, Guid? OrganizationId, string Title, string Type);
}
