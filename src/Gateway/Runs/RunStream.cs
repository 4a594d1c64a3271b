using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Runs.Answers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>A run as server-sent events: one <c>data:</c> line for each step, ended by exactly one <c>done</c> or <c>error</c>.</summary>
internal sealed class RunStream : IRunSink, IAsyncDisposable
{
    private readonly ClientStream client;
    private readonly CancellationTokenSource ended;
    private readonly PooledBytes frame = new(1_024);

    public RunStream(HttpContext context, TimeoutOptions timeouts, TimeProvider time)
    {
        client = new(context, exchange: null, timeouts, static output => output.Write(": keep-alive\n\n"u8), time);
        ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
    }

    public bool IsStream => true;

    public bool HasStarted => client.HasStarted;

    /// <summary>Fires when the client leaves: the run has nobody to answer then.</summary>
    public CancellationToken Ended => ended.Token;

    public async ValueTask TellAsync(RunStep step, CancellationToken ct)
    {
        frame.Clear();
        frame.Write("data: "u8);
        using (var json =
            new Utf8JsonWriter(frame, new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            Write(json, step);
        }
        frame.Write("\n\n"u8);
        if (!await client.SendAsync(frame.Memory))
        {
            await ended.CancelAsync();
            ended.Token.ThrowIfCancellationRequested();
        }
    }

    /// <summary>The end of a run that could not begin, when the stream had already.</summary>
    public ValueTask FailAsync(Failure failure) =>
        TellAsync(new RunStep.Done(new(new JsonObject { ["error"] = failure.Message }, 400) { Failure = failure }), CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        ended.Dispose();
        frame.Dispose();
    }

    private static void Write(Utf8JsonWriter json, RunStep step)
    {
        json.WriteStartObject();
        switch (step)
        {
            case RunStep.Start start:
                json.WriteString("event"u8, "start"u8);
                json.WriteString("model"u8, start.Model);
                json.WriteString("service"u8, start.Service);
                json.WriteString("bridge_id"u8, start.AgentId);
                json.WriteString("message_id"u8, start.MessageId);
                if (start.IsFallback)
                {
                    json.WriteBoolean("fallback"u8, value: true);
                }
                break;
            case RunStep.Delta delta:
                json.WriteString("event"u8, "delta"u8);
                json.WriteString("content"u8, delta.Text);
                break;
            case RunStep.Reasoning reasoning:
                json.WriteString("event"u8, "reasoning"u8);
                json.WriteString("content"u8, reasoning.Text);
                break;
            case RunStep.Planning planning:
                json.WriteString("event"u8, "planning"u8);
                WriteNode(json, "plans"u8, planning.Items);
                break;
            case RunStep.ToolCall call:
                json.WriteString("event"u8, "tool_call"u8);
                json.WriteString("name"u8, call.Name);
                json.WritePropertyName("args"u8);
                WriteArguments(json, call.Arguments);
                json.WriteString("call_id"u8, call.CallId);
                break;
            case RunStep.ToolResult result:
                json.WriteString("event"u8, "tool_result"u8);
                json.WriteString("name"u8, result.Name);
                json.WriteString("content"u8, result.Content);
                json.WriteString("call_id"u8, result.CallId);
                break;
            case RunStep.Done { Result: var result }:
                WriteEnd(json, result);
                break;
        }
        json.WriteEndObject();
    }

    private static void WriteEnd(Utf8JsonWriter json, RunResult result)
    {
        if (!result.IsSuccess)
        {
            json.WriteString("event"u8, "error"u8);
            json.WriteString("error"u8, result.Response.Text("error") ?? result.Failure?.Message ?? result.Content);
            if (result.Failure is { } failure)
            {
                json.WriteString("error_code"u8, failure.Code);
                json.WriteString("error_type"u8, RunFailures.KindOf(failure));
            }
            return;
        }
        var response = result.Response.Object("response");
        json.WriteString("event"u8, "done"u8);
        WriteNode(json, "usage"u8, response?["usage"]);
        json.WriteString("message_id"u8, response.Object("data").Text("message_id"));
        json.WriteString("finish_reason"u8, response.Object("data").Text("finish_reason"));
        WriteNode(json, "response"u8, result.Response);
    }

    private static void WriteNode(Utf8JsonWriter json, ReadOnlySpan<byte> name, JsonNode? node)
    {
        json.WritePropertyName(name);
        if (node is null)
        {
            json.WriteNullValue();
        }
        else
        {
            node.WriteTo(json);
        }
    }

    private static void WriteArguments(Utf8JsonWriter json, string arguments)
    {
        if (JsonFields.TryParse(arguments, out var node) && node is not null)
        {
            node.WriteTo(json);
        }
        else
        {
            json.WriteStringValue(arguments);
        }
    }
}
