namespace Stoa.Bench.Scenarios;

/// <summary>Fills the school of <see cref="LearningScenario"/>: user 1 owns it, the others learn.</summary>
internal static class LearningRows
{
    /// <summary>
    /// Ten modules of twenty tasks: of ten tasks six are materials, three are quizzes of two questions, one is an assignment. Each learner
    /// has done nine of ten, over the last thirty days; he has written a message about one quiz in each ten.
    /// </summary>
    internal static string Sql(int learners) => $"""
        set synchronous_commit = off; set session_replication_role = replica; set timezone = 'UTC'; set work_mem = '256MB';
        insert into learning.users (email, first_name, last_name)
          select case when n = 1 then 'owner@bench.org' else 'learner' || n || '@bench.org' end, 'First' || n, 'Last' || n
          from generate_series(1, {learners + 1}) as n order by n;
        insert into learning.organizations (slug, name, organization_id) select 'bench', 'Bench', id from platform.organizations limit 1;
        insert into learning.user_organizations (user_id, org_id, role) values (1, 1, 'owner');
        insert into learning.cohorts (org_id, name) values (1, 'Cohort');
        insert into learning.user_cohorts (user_id, cohort_id, role, joined_at)
          select n, 1, 'learner', now() - interval '60 days' from generate_series(2, {learners + 1}) as n;
        insert into learning.courses (org_id, name) values (1, 'Course');
        insert into learning.course_cohorts (course_id, cohort_id) values (1, 1);
        insert into learning.milestones (org_id, name, color) select 1, 'Module ' || n, '#123456' from generate_series(1, 10) as n order by n;
        insert into learning.course_milestones (course_id, milestone_id, ordering) select 1, n, n - 1 from generate_series(1, 10) as n;
        insert into learning.tasks (org_id, type, blocks, title, status)
          select 1, case when n % 10 in (1, 2, 3) then 'quiz' when n % 10 = 4 then 'assignment' else 'learning_material' end, '[]', 'Task ' || n, 'published'
          from generate_series(1, 200) as n order by n;
        insert into learning.course_tasks (course_id, task_id, milestone_id, ordering) select 1, n, (n - 1) / 20 + 1, (n - 1) % 20 from generate_series(1, 200) as n;
        insert into learning.questions (task_id, type, blocks, input_type, response_type, position, title)
          select t.id, 'objective', '[]', 'text', 'chat', n, 'Question ' || n from learning.tasks t cross join generate_series(0, 1) as n where t.type = 'quiz'
          order by t.id, n;
        insert into learning.task_completions (user_id, task_id, created_at)
          select u.id, t.id, now() - (t.id * 31 + u.id) % 30 * interval '1 day' from learning.users u cross join learning.tasks t
          where u.id > 1 and t.type <> 'quiz' and (t.id + u.id - 2) % 10 > 0;
        insert into learning.task_completions (user_id, question_id, created_at)
          select u.id, q.id, now() - (q.id * 31 + u.id) % 30 * interval '1 day' from learning.users u cross join learning.questions q
          where u.id > 1 and (q.task_id + u.id - 2) % 10 > 0;
        insert into learning.chat_history (user_id, question_id, role, content, created_at)
          select u.id, q.id, 'user', 'my answer', now() - (q.id * 31 + u.id) % 30 * interval '1 day' from learning.users u cross join learning.questions q
          where u.id > 1 and q.task_id % 10 = 1;
        set session_replication_role = origin;
        vacuum analyze learning.users; vacuum analyze learning.user_cohorts; vacuum analyze learning.task_completions;
        vacuum analyze learning.chat_history; vacuum analyze learning.tasks; vacuum analyze learning.questions; vacuum analyze learning.course_tasks;
        checkpoint;
        """;
}
