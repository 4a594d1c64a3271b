using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Documents.Reading;
using Stoa.Assistants.ProducedTexts;
using Stoa.Assistants.Sessions;
using Stoa.Assistants.Users;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Executions;

/// <summary>Users doing tasks.</summary>
internal static class ExecutionsApi
{
    public static void MapExecutions(this IEndpointRouteBuilder surface)
    {
        var routes = surface.MapGroup("").WithTags("user");
        routes.MapPut("/user_task_execution", CreateAsync).RequireMojodexUser().WithSummary("Create a task execution");
        routes.MapGet("/user_task_execution", GetAsync).RequireMojodexUser()
            .Produces<ExecutionList>().WithSummary("List executions, or read one");
        routes.MapPost("/user_task_execution", EndAsync).RequireMojodexService(MojodexService.PurchaseUpdater)
            .WithSummary("Mark the end of an execution");
        routes.MapDelete("/user_task_execution", DeleteAsync).RequireMojodexUser().WithSummary("Delete an execution");
        routes.MapPost("/user_task_execution_run", RunAsync).RequireMojodexUser()
            .DisableAntiforgery().WithSummary("Start an execution from its form");
        routes.MapPost("/user_task_execution_title", RenameAsync).RequireMojodexUser().WithSummary("Rename an execution");
        routes.MapGet("/user_task_execution_produced_text", GetProducedTextAsync).RequireMojodexUser()
            .WithSummary("Read one version of what an execution produced");
    }

    internal static async Task<Ok<CreatedExecution>> CreateAsync(
        Body<NewExecution> body, MojodexCaller caller, UserStore users, NewExecutions executions, CancellationToken ct)
    {
        var user = await users.ReadyAsync(caller.UserId!, ct);
        var (execution, inputs) = await executions.CreateAsync(user, body.Value, ct);
        return TypedResults.Ok(new CreatedExecution(
            execution.Id, inputs, [], [], execution.SessionId, user.OnboardingPresentedAt is not null));
    }

    internal static async Task<IResult> GetAsync(
        Query<Wanted> query, MojodexCaller caller, UserStore users, ExecutionViews views, CancellationToken ct)
    {
        var user = await users.FindAsync(caller.UserId!, ct) ?? throw UserStore.Gone();
        if (query.Value.Id is { } id)
        {
            return TypedResults.Ok(await views.FindAsync(user, id, ct) ?? throw Unknown(id));
        }
        return TypedResults.Ok(new ExecutionList(await views.ListAsync(user, query.Value, ct)));
    }

    internal static async Task<Ok<EndedExecution>> EndAsync(Body<WantedExecution> body, ExecutionStore executions, CancellationToken ct) =>
        await executions.EndAsync(body.Value.Id, ct) ? TypedResults.Ok(new EndedExecution(body.Value.Id)) : throw Unknown(body.Value.Id);

    internal static async Task<Ok<DeletedExecution>> DeleteAsync(
        Query<WantedExecution> query, MojodexCaller caller, ExecutionStore executions, CancellationToken ct) =>
        await executions.DeleteAsync(caller.UserId!, query.Value.Id, ct)
            ? TypedResults.Ok(new DeletedExecution(query.Value.Id.ToString(CultureInfo.InvariantCulture)))
            : throw Failure.NotFound("user_task_execution");

    internal static async Task<Ok<SuccessText>> RunAsync(
        Form<RunTerms> form, MojodexCaller caller, UserStore users, RunExecution run, CancellationToken ct)
    {
        var user = await users.FindAsync(caller.UserId!, ct) ?? throw UserStore.Gone();
        var images = await InputImages.ReadAsync(form.Files, ct);
        var inputs = new Dictionary<string, JsonElement>(form.Value.Inputs, StringComparer.Ordinal);
        foreach (var file in form.Files)
        {
            inputs.TryAdd(
                file.Name, JsonElement.Parse($"\"{JsonEncodedText.Encode(TextCleaning.CleanLine(Path.GetFileName(file.FileName)))}\""));
        }
        return await run.RunAsync(user, form.Value.Id, inputs, images, ct)
            ? TypedResults.Ok(new SuccessText("ok")) : throw Unknown(form.Value.Id);
    }

    internal static async Task<Ok<Success>> RenameAsync(
        Body<NewTitle> body, MojodexCaller caller, ExecutionStore executions, CancellationToken ct) =>
        await executions.RenameAsync(caller.UserId!, body.Value.Id, body.Value.Title, ct)
            ? TypedResults.Ok(Success.Instance) : throw Unknown(body.Value.Id);

    internal static async Task<Ok<VersionView>> GetProducedTextAsync(
        Query<WantedVersion> query, MojodexCaller caller, ProducedTextStore texts, CancellationToken ct) =>
        TypedResults.Ok(await texts.VersionAsync(caller.UserId!, query.Value.Id, query.Value.Index, ct) ?? new VersionView(null));

    public static Failure Unknown(int id) => Failure.Invalid(
        string.Create(CultureInfo.InvariantCulture, $"Invalid user_task_execution_pk: {id}"), "user_task_execution_pk");

    internal sealed record CreatedExecution(
        int UserTaskExecutionPk, JsonElement JsonInput, IReadOnlyList<JsonElement> Actions, IReadOnlyList<JsonElement> TextEditActions,
        string SessionId, bool IntroDone);

    internal sealed record ExecutionList(IReadOnlyList<ExecutionView> UserTaskExecutions);

    internal sealed record EndedExecution(int UserTaskExecutionPk);

    internal sealed record DeletedExecution(string UserTaskExecutionPk);

    internal sealed record NewExecution(int UserTaskId, string Platform, int? ParentId) : IArguments<NewExecution>
    {
        public static NewExecution Read(Fields fields) => new(
            fields.Integer("user_task_pk"), fields.OptionalChoice("platform", SessionsApi.Platforms) ?? "webapp",
            fields.OptionalInteger("user_task_execution_fk"));
    }

    internal sealed record Wanted(int? Id, int Most, int Offset, string? Search, int[]? UserTaskIds) : IArguments<Wanted>
    {
        public static Wanted Read(Fields fields) => new(
            fields.OptionalInteger("user_task_execution_pk"), fields.PageSize("n_user_task_executions"), fields.Offset(),
            fields.OptionalText("search_filter", 1_000), Ids(fields, "user_task_pks"));

        /// <summary>Between semicolons.</summary>
        private static int[]? Ids(Fields fields, string name)
        {
            var texts = fields.OptionalText(name, 4_000)?.Split(
                ';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return texts is null or [] ? null
                : Array.ConvertAll(
                    texts, text => int.TryParse(text, CultureInfo.InvariantCulture, out var id) ? id : throw fields.Wrong(name));
        }
    }

    internal sealed record WantedExecution(int Id) : IArguments<WantedExecution>
    {
        public static WantedExecution Read(Fields fields) => new(fields.Integer("user_task_execution_pk"));
    }

    internal sealed record RunTerms(int Id, IReadOnlyDictionary<string, JsonElement> Inputs) : IArguments<RunTerms>
    {
        public static RunTerms Read(Fields fields)
        {
            var id = fields.Integer("user_task_execution_pk");
            var inputs = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
            foreach (var input in fields.Objects("inputs", Describe))
            {
                // The body is gone when the handler runs.
                inputs[input.Text("input_name")] = input.Json("input_value").Clone();
            }
            fields.OptionalText("platform");
            fields.OptionalText("version");
            fields.OptionalFlag("use_message_placeholder");
            fields.OptionalFlag("use_draft_placeholder");
            return new(id, inputs);
        }

        private static void Describe(Fields input)
        {
            input.Text("input_name");
            input.Json("input_value");
        }
    }

    internal sealed record NewTitle(int Id, string Title) : IArguments<NewTitle>
    {
        public static NewTitle Read(Fields fields)
        {
            var title = fields.Text("title", Fields.ShortText);
            return new(fields.Integer("user_task_execution_pk"), title);
        }
    }

    internal sealed record WantedVersion(int Id, int Index) : IArguments<WantedVersion>
    {
        public static WantedVersion Read(Fields fields)
        {
            var wanted = new WantedVersion(fields.Integer("user_task_execution_pk"), fields.Integer("produced_text_version_index"));
            return wanted.Index > 0 || fields.IsDocument ? wanted : throw fields.Wrong("produced_text_version_index");
        }
    }
}
