namespace Stoa.Bench.Scenarios;

/// <summary>
/// What a run of an agent costs, beside the plain proxy of the same run: its configuration, its prompt, a conversation of twenty messages
/// that is read and goes on, the row of its history and its usage. Over many conversations, since one answers one question at a time.
/// </summary>
internal sealed class AgentRunScenario : Scenario
{
    private const string Chat = "/v1/chat/completions";
    private const int Exchanges = 10;

    internal override string Name => "agent-run";

    internal override string Purpose => "an agent with prompt, history of 20 messages and metering, beside the plain proxy [--threads N]";

    internal override async IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments)
    {
        var threads = arguments.Number("threads", arguments.Flag("quick") ? 1_000 : 20_000);
        await using var rig = await Rig.StartAsync();
        await using var product = Product.Prepare(rig.Direct.BaseUrl);
        // The upstream of the rig speaks chat completions.
        product.Set("Gateway__Providers__openai__HasResponses", "false");
        await product.StartAsync();
        var agent = product.As("agent", await product.CreateKeyAsync(), "openai") with { ModelPrefix = "agent:" };
        await NoteAsync($"agent-run: filling {threads:N0} conversations");
        await product.SqlAsync(Sql(threads));

        foreach (var (name, conversations) in new[] { ("thread", threads), ("stateless", 0) })
        {
            await NoteAsync($"agent-run: {name}");
            var closed = new Measurement(Chat, 1024, streams: false) { Threads = conversations };
            await closed.PlayAsync(arguments, rig.Plain, agent);
            var plain = closed.Median(rig.Plain, result => result.TreeCpu);
            var alone = closed.Median(agent, result => result.Cpu);
            yield return new($"agent_run.{name}.plain_cpu", plain, "us/request");
            yield return new($"agent_run.{name}.cpu", alone, "us/request");
            yield return new($"agent_run.{name}.cpu_ratio", alone / plain, "x plain", Bound: 3);
            yield return new(
                $"agent_run.{name}.cpu_ratio_with_postgres", closed.Median(agent, result => result.TreeCpu) / plain, "x plain");
            yield return new($"agent_run.{name}.rate", closed.Median(agent, result => result.PerSecond), "1/s");
        }

        await NoteAsync("agent-run: 100 per second");
        var open = new Measurement(Chat, 1024, streams: false, rate: 100) { Threads = threads };
        await open.PlayAsync(arguments, rig.Direct, rig.Plain, agent);
        yield return open.Added("agent_run.100_per_second.plain_added_p99", rig.Direct, rig.Plain, result => result.P99);
        yield return open.Added("agent_run.100_per_second.added_p50", rig.Direct, agent, result => result.P50);
        yield return open.Added("agent_run.100_per_second.added_p99", rig.Direct, agent, result => result.P99, bound: 5);
    }

    private static string Sql(int threads) => $$$"""
        create temp table bench as select id as organization, 'bbbbbbbbbbbbbbbbbbbbbbbb' as agent, 'aaaaaaaaaaaaaaaaaaaaaaaa' as version,
          '{"service":"openai","configuration":{"model":"gpt-4o-mini","type":"chat","response_type":{"type":"text"},"creativity_level":0.7,
            "prompt":{"role":"You answer the questions of the visitors, {{name}} among them.",
              "goal":"Whoever asks knows afterwards when his ship leaves, and from where.",
              "instruction":"Answer in the language of the question, in at most three sentences. Name the quay and the time. When the timetable does not say it, say so and name the office that knows."}},
            "variables_state":{"name":{"status":"optional","default_value":"guest"}},"settings":{"maximum_iterations":3} }'::jsonb as document
        from platform.organizations;
        insert into gateway.agents (id, organization_id, name, slug, kind, is_paused, published_version_id, document, created_at, updated_at)
          select agent, organization, 'bench', 'bench', 'api', false, null, document, now(), now() from bench;
        insert into gateway.agent_versions (id, organization_id, agent_id, is_draft, document, created_at, updated_at)
          select version, organization, agent, false, document, now(), now() from bench;
        update gateway.agents set published_version_id = (select version from bench) where id = (select agent from bench);
        insert into gateway.threads (organization_id, agent_id, thread_id, sub_thread_id, created_at, updated_at)
          select organization, agent, thread, thread, now(), now() from bench, {{{Names(threads)}}};
        insert into gateway.runs (id, created_at, updated_at, organization_id, agent_id, version_id, thread_id, sub_thread_id, message_id, service,
          model, is_success, finish_reason, user_message, answer, document)
          select gen_random_uuid(), now() - place * interval '1 minute', now(), organization, agent, version, thread, thread, gen_random_uuid(),
            'openai', 'gpt-4o-mini', true, 'completed', repeat('When does the ship leave? ', 8), repeat('Seven ships wait for the tide. ', 20),
            '{"prompt":"You answer the questions of the visitors.","tools_call_data":[],"tokens":{"input_tokens":1900,"output_tokens":150},"variables":{"name":"guest"},"latency":{"over_all_time":0.7,"model_execution_time":0.69}}'
          from bench, {{{Names(threads)}}}, generate_series(1, {{{Exchanges}}}) as place;
        vacuum analyze gateway.runs; vacuum analyze gateway.threads;
        """;

    private static string Names(int threads) =>
        $"(select 'bench-' || lpad(number::text, 7, '0') as thread from generate_series(0, {threads - 1}) as number) as t";
}
