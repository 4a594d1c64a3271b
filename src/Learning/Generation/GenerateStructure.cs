using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Stoa.Gateway;
using Stoa.Learning.Tutor;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Learning.Generation;

/// <param name="Uuid">Of the generation.</param>
internal sealed record GenerateStructure(Guid Uuid)
{
    public const string Kind = "learning.generate_structure";
}

/// <summary>
/// Has a structure written, and makes each module and each task as soon as it is named. A run that begins anew gets another structure from
/// the model: what stands at a place already takes the new name, and what has no place in it any more is removed at the end.
/// </summary>
internal sealed partial class GenerateStructureHandler(
    LearningDb db, CourseWriter writer, ReferenceMaterial references, IModels models, ModelPlans plans, TutorPrompts prompts,
    ILogger<GenerateStructureHandler> logger) : IJobHandler<GenerateStructure>
{
    public static readonly JobRules Rules = new() { MaxAttempts = 4, FirstWait = TimeSpan.FromSeconds(10), MaxRunningPerTenant = 4 };

    public const string Purpose = "learning.generation";
    public const int MaxOutput = 16_000;

    // So much must be new before it is worth looking whether a name is among it.
    private const int Step = 160;

    public async Task RunAsync(GenerateStructure job, JobContext context, CancellationToken ct)
    {
        var generation = await db.CourseGenerationJobs.AsNoTracking().FirstOrDefaultAsync(row => row.Uuid == job.Uuid, ct);
        if (generation is not { Status: CourseGenerationStatus.Started })
        {
            return;
        }
        try
        {
            await MakeAsync(generation, context, ct);
        }
        catch (Exception thrown) when (GenerationFailure.IsFinal(thrown, context, ct))
        {
            LogFailed(thrown is Failure ? null : thrown, job.Uuid, GenerationFailure.CodeOf(thrown));
            await writer.FailStructureAsync(generation, GenerationFailure.CodeOf(thrown), context, ct);
        }
    }

    private async Task MakeAsync(CourseGenerationJob generation, JobContext context, CancellationToken ct)
    {
        var course = await writer.OpenAsync(generation, context, ct);
        var question = await QuestionAsync(generation, course, ct);
        var come = new MemoryStream();
        var seen = 0L;
        var reply = await models.AskAsync(
            question,
            async text =>
            {
                come.Write(Encoding.UTF8.GetBytes(text));
                if (come.Length - seen >= Step)
                {
                    seen = come.Length;
                    await course.MakeAsync(ReadFrom(come), ct);
                }
            },
            ct);
        var modules = ReadFrom(come);
        if (reply.IsCut || modules.Count == 0)
        {
            throw new Failure(FailureKind.Upstream, "upstream_invalid_response", "The model's structure is not whole");
        }
        await course.MakeAsync(modules, ct);
        await course.FinishAsync(modules, ct);
    }

    private async Task<ModelQuestion> QuestionAsync(CourseGenerationJob generation, CourseInMaking course, CancellationToken ct)
    {
        var details = JsonNode.Parse(generation.JobDetails)!;
        var key = (string?)details["reference_material_s3_key"] ?? "";
        var model = plans.Find(ModelPlan.Text, course.OrganizationId);
        var wishes = new StringBuilder();
        foreach (var (title, name) in (ReadOnlySpan<(string, string)>)[
            ("What the course is about", "course_description"), ("Who it is for", "intended_audience"),
            ("What the author asks for besides", "instructions")])
        {
            if ((string?)details[name] is { Length: > 0 } text)
            {
                wishes.Append("## ").Append(title).Append('\n').Append(text).Append("\n\n");
            }
        }
        return new(course.OrganizationId, model, Purpose, generation.Uuid.ToString())
        {
            Instructions = prompts.Find("course-structure", course.OrgId).Text,
            // The document stands alone and first: what follows it changes, and providers remember what does not.
            Turns =
            [
                new(ModelSpeaker.Person, ModelPart.Pdf(await references.ReadAsync(key, ct), "reference.pdf")),
                TutorTurns.Asked(wishes.ToString().TrimEnd()),
            ],
            Schema = new("course_structure", CourseStructure.Schema),
            MaxOutput = MaxOutput,
            Temperature = 0,
        };
    }

    private static List<PlannedModule> ReadFrom(MemoryStream come) =>
        CourseStructure.Read(PartialJson.ReadNested(come.GetBuffer().AsSpan(0, (int)come.Length)));

    [LoggerMessage(LogLevel.Warning, "The structure {Generation} could not be made: {Code}")]
    private partial void LogFailed(Exception? thrown, Guid generation, string code);
}

/// <summary>When a generation is given up.</summary>
internal static class GenerationFailure
{
    /// <summary>Not while it may still succeed: not on the way to another try, and not where the run itself was ended.</summary>
    public static bool IsFinal(Exception thrown, JobContext context, CancellationToken ct) =>
        thrown is not (LeaseLostException or JobFailure) && !ct.IsCancellationRequested
            && (context.IsLastAttempt || IsBeyondRepair(thrown));

    public static string CodeOf(Exception thrown) => thrown is Failure failure ? failure.Code : "internal_error";

    private static bool IsBeyondRepair(Exception thrown) => thrown is Failure
    {
        Kind: FailureKind.Invalid or FailureKind.NotFound or FailureKind.TooLarge or FailureKind.UnsupportedMedia or FailureKind.Forbidden or FailureKind.Quota,
    };
}
