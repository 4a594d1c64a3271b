using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Learning.Auth;
using Stoa.Tests.Support;

namespace Stoa.Tests.Learning;

/// <summary>
/// A school with everybody a route must tell apart: owner, admin, mentor and two learners, and a learner of another cohort; beside it a
/// school of somebody else. A course with a material, a quiz of one question and an assignment. Made in the database, as no route here
/// makes them.
/// </summary>
internal sealed class ServicesSite : IAsyncDisposable
{
    public const int Owner = 1, Admin = 2, Mentor = 3, Pupil = 4, Other = 5, Elsewhere = 6, Outsider = 7;
    public const int SchoolId = 1, Foreign = 2, Cohort = 1, Course = 1, Material = 1, Quiz = 2, Assignment = 3, Question = 1;

    private const string People = """
        insert into platform.organizations (id, slug, name, created_at) values
          ('01980000-0000-7000-8000-000000000001', 'school-one', 'School One', now()),
          ('01980000-0000-7000-8000-000000000002', 'foreign', 'Foreign', now());
        insert into learning.users (email, first_name) values ('owner@ex.org', 'Ada'), ('admin@ex.org', 'Bea'), ('mentor@ex.org', 'Cem'),
          ('learner@ex.org', 'Dan'), ('other@ex.org', 'Eva'), ('elsewhere@ex.org', 'Fay'), ('outsider@ex.org', 'Gus');
        insert into learning.organizations (slug, name, organization_id) values
          ('school-one', 'School One', '01980000-0000-7000-8000-000000000001'),
            ('foreign', 'Foreign', '01980000-0000-7000-8000-000000000002');
        insert into learning.user_organizations (user_id, org_id, role) values (1, 1, 'owner'), (2, 1, 'admin'), (7, 2, 'owner');
        insert into learning.cohorts (org_id, name) values (1, 'Cohort One'), (1, 'Cohort Two');
        insert into learning.user_cohorts (user_id, cohort_id, role)
          values (3, 1, 'mentor'), (4, 1, 'learner'), (5, 1, 'learner'), (6, 2, 'learner');
        """;

    private const string Contents = """
        insert into learning.courses (org_id, name) values (1, 'Course A');
        insert into learning.course_cohorts (course_id, cohort_id) values (1, 1);
        insert into learning.milestones (org_id, name, color) values (1, 'Intro', '#2d3748');
        insert into learning.course_milestones (course_id, milestone_id, ordering) values (1, 1, 0);
        insert into learning.tasks (org_id, type, title, status, blocks) values
          (1, 'learning_material', 'Read me', 'published', '[{"id":"b1","type":"paragraph","props":{},"content":[],"children":[],"position":0}]'),
          (1, 'quiz', 'Quiz me', 'published', null), (1, 'assignment', 'Build me', 'published', null),
            (1, 'quiz', 'Not yet', 'draft', null);
        insert into learning.course_tasks (task_id, course_id, milestone_id, ordering)
          values (1, 1, 1, 0), (2, 1, 1, 1), (3, 1, 1, 2), (4, 1, 1, 3);
        insert into learning.questions (task_id, type, blocks, answer, input_type, response_type, position, title) values
          (2, 'objective', '[]', '[{"id":"a1","type":"paragraph","content":[],"children":[]}]', 'code', 'chat', 0, 'What is 41 + 1?');
        insert into learning.assignments (task_id, blocks, input_type) values (3, '[]', 'file');
        """;

    private ServicesSite(HostUnderTest host) => Host = host;

    public HostUnderTest Host { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<ServicesSite> StartAsync(Dictionary<string, string?>? settings = null)
    {
        var own = new Dictionary<string, string?>(settings ?? [], StringComparer.OrdinalIgnoreCase)
        {
            ["NextAuth:Secrets:0"] = "a secret of the front end that is long enough",
            // What a route breaks at is worth reading.
            ["Logging:LogLevel:Default"] = "Error",
        };
        var site = new ServicesSite(await HostUnderTest.StartAsync(own));
        await site.RunAsync(People);
        await site.RunAsync(Contents);
        return site;
    }

    /// <param name="user">Absent: nobody.</param>
    public async Task<HttpResponseMessage> SendAsync(
        string method, string path, int? user, object? body = null, HttpContent? content = null)
    {
        using var request = new HttpRequestMessage(new(method), $"/learning{path}");
        if (user is { } id)
        {
            request.Headers.Authorization = new("Bearer", TokenOf(id));
        }
        request.Content = content ?? (body is null ? null : JsonContent.Create(body));
        return await Host.Client.SendAsync(request, Ct);
    }

    public async Task<(int Status, JsonNode? Body)> AskAsync(
        string method, string path, int? user, object? body = null, HttpContent? content = null)
    {
        using var answer = await SendAsync(method, path, user, body, content);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        return ((int)answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    public async Task<int> StatusAsync(string method, string path, int? user, object? body = null, HttpContent? content = null)
    {
        using var answer = await SendAsync(method, path, user, body, content);
        return (int)answer.StatusCode;
    }

    public async Task RunAsync(string sql)
    {
        await using var command = Host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    public async Task<T> ReadAsync<T>(string sql)
    {
        await using var command = Host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Ct))!;
    }

    public async Task<T> WithAsync<TService, T>(Func<TService, Task<T>> work)
        where TService : notnull
    {
        await using var scope = Host.Services.CreateAsyncScope();
        return await work(scope.ServiceProvider.GetRequiredService<TService>());
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    private string TokenOf(int id) => Host.Services.GetRequiredService<LearningTokens>().Issue(id, id switch
    {
        Owner => "owner@ex.org",
        Admin => "admin@ex.org",
        Mentor => "mentor@ex.org",
        Pupil => "learner@ex.org",
        Other => "other@ex.org",
        Elsewhere => "elsewhere@ex.org",
        _ => "outsider@ex.org",
    });
}

/// <summary>One site for all tests of a class that only read it, or touch what is theirs.</summary>
public sealed class SharedServicesSite : IAsyncLifetime
{
    internal ServicesSite Site { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Site = await ServicesSite.StartAsync();

    public ValueTask DisposeAsync() => Site.DisposeAsync();
}
