using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Tools;

/// <summary>What a tool was asked, and what it found; written by background services of the first layout.</summary>
internal static class ToolQueriesApi
{
    public static void MapToolQueries(this IEndpointRouteBuilder surface)
    {
        var queries = surface.MapGroup("/task_tool_query").WithTags("callback").RequireMojodexService(MojodexService.Background)
            .WithMetadata(WireTexts.Callback);
        queries.MapPut("", AddAsync).WithSummary("Create a tool query");
        queries.MapPost("", AnswerAsync).WithSummary("Store the result of a tool query");
    }

    internal static async Task<Ok<ToolQuery>> AddAsync(Body<NewQuery> body, AssistantsDb db, TimeProvider time, CancellationToken ct)
    {
        var ids = await db.Database.SqlQuery<int>($"""
            insert into assistants.task_tool_queries (task_tool_execution_id, query, created_at)
            select id, {body.Value.Query}::jsonb, {time.GetUtcNow()} from assistants.task_tool_executions
            where id = {body.Value.ExecutionId}
            returning id as "Value"
            """).ToListAsync(ct);
        return ids is [var id] ? TypedResults.Ok(new ToolQuery(id))
            : throw Failure.Invalid($"Invalid task_tool_execution_fk: {body.Value.ExecutionId}", "task_tool_execution_fk");
    }

    internal static async Task<Ok<ToolQuery>> AnswerAsync(Body<QueryResult> body, AssistantsDb db, CancellationToken ct) =>
        await db.Database.ExecuteSqlAsync($"""
            update assistants.task_tool_queries set result = {body.Value.Result}::jsonb where id = {body.Value.Id}
            """, ct) > 0
            ? TypedResults.Ok(new ToolQuery(body.Value.Id))
            : throw Failure.Invalid($"Invalid task_tool_query_pk: {body.Value.Id}", "task_tool_query_pk");

    internal sealed record ToolQuery(int TaskToolQueryPk);

    internal sealed record NewQuery(string Query, int ExecutionId) : IArguments<NewQuery>
    {
        public static NewQuery Read(Fields fields)
        {
            var query = fields.Json("query");
            return query.ValueKind == JsonValueKind.Object || fields.IsDocument
                ? new(query.GetRawText(), fields.Integer("task_tool_execution_fk")) : throw fields.Wrong("query");
        }
    }

    internal sealed record QueryResult(string Result, int Id) : IArguments<QueryResult>
    {
        public static QueryResult Read(Fields fields)
        {
            var result = fields.Json("result").GetRawText();
            return new(result, fields.Integer("task_tool_query_pk"));
        }
    }
}
